// Fused message passing on CPU.
//
// A plain C interface over raw pointers, without any header of torch, so that one
// build serves every version of torch and Python; graphlab/ops/cpu.py is the caller
// and checks shapes, types and contiguity. Formulas: graphlab/ops/reference.py.
//
// Every output row has one writer and a fixed order of summation: results do not
// depend on the number of threads. Vectors are those of GCC and Clang; the same source
// is compiled once per instruction set.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <vector>

#ifdef _OPENMP
#include <omp.h>
#endif

#define INLINE inline __attribute__((always_inline))

using i32 = std::int32_t;
using i64 = std::int64_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;

// ---------------------------------------------------------------- number formats

struct bf16 {
  std::uint16_t bits;
};
struct f16 {
  std::uint16_t bits;
};

// The type that sums are kept in.
template <class S>
struct AccOf {
  using type = float;
};
template <>
struct AccOf<double> {
  using type = double;
};
template <class S>
using Acc = typename AccOf<S>::type;

template <class T, int N>
struct VecOf {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T, int N>
using Vec = typename VecOf<T, N>::type;

#if defined(__AVX512F__)
constexpr int REGISTER_BYTES = 64;
#elif defined(__AVX2__)
constexpr int REGISTER_BYTES = 32;
#else
constexpr int REGISTER_BYTES = 16;
#endif
template <class A>
constexpr int LANES = REGISTER_BYTES / int(sizeof(A));

template <class To, class From>
INLINE To bits_as(const From& from) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To to;
  std::memcpy(&to, &from, sizeof(To));
  return to;
}

// U: unsigned 32-bit, scalar or vector, with the 16 bits of a half in each lane.
template <class F, class U, class I>
INLINE F half_to_float(U h) {
  U rest = (h & 0x7fffu) << 13;
  F scaled = bits_as<F>(rest) * 0x1p112f;  // subnormal halves come out right as well
  U special = U(I(rest >= 0x0f800000u));   // all ones where infinite or NaN
  U out = bits_as<U>(scaled) | (special & 0x7f800000u) | ((h & 0x8000u) << 16);
  return bits_as<F>(out);
}

INLINE float widen(float v) { return v; }
INLINE double widen(double v) { return v; }
INLINE float widen(bf16 v) { return bits_as<float>(u32(v.bits) << 16); }
INLINE float widen(f16 v) {
  u32 h = v.bits;
  u32 rest = (h & 0x7fffu) << 13;
  u32 out = bits_as<u32>(bits_as<float>(rest) * 0x1p112f);
  if (rest >= 0x0f800000u) out |= 0x7f800000u;
  return bits_as<float>(out | ((h & 0x8000u) << 16));
}

INLINE void narrow(float v, float* to) { *to = v; }
INLINE void narrow(double v, double* to) { *to = v; }
INLINE void narrow(float v, bf16* to) {  // to nearest, ties to even
  u32 u = bits_as<u32>(v);
  u32 rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  to->bits = std::uint16_t(v != v ? (u >> 16) | 0x40u : rounded);
}
INLINE void narrow(float v, f16* to) {
  u32 u = bits_as<u32>(v), sign = (u >> 16) & 0x8000u, out;
  u &= 0x7fffffffu;
  if (u >= 0x47800000u) {  // too large, infinite or NaN
    out = u > 0x7f800000u ? 0x7e00u : 0x7c00u;
  } else if (u < 0x38800000u) {  // subnormal: the adder rounds
    out = bits_as<u32>(bits_as<float>(u) + 0.5f) - 0x3f000000u;
  } else {
    out = (u + 0xc8000fffu + ((u >> 13) & 1u)) >> 13;
  }
  to->bits = std::uint16_t(out | sign);
}

template <int W, class S>
INLINE Vec<Acc<S>, W> load(const S* p) {
  if constexpr (std::is_same_v<S, float> || std::is_same_v<S, double>) {
    Vec<S, W> v;
    std::memcpy(&v, p, sizeof(v));
    return v;
  } else {
    Vec<std::uint16_t, W> raw;
    std::memcpy(&raw, p, sizeof(raw));
    auto wide = __builtin_convertvector(raw, Vec<u32, W>);
    if constexpr (std::is_same_v<S, bf16>) {
      return bits_as<Vec<float, W>>(wide << 16);
    } else {
      return half_to_float<Vec<float, W>, Vec<u32, W>, Vec<i32, W>>(wide);
    }
  }
}

template <int W, class S>
INLINE void store(const Vec<Acc<S>, W>& v, S* p) {
  if constexpr (std::is_same_v<S, float> || std::is_same_v<S, double>) {
    std::memcpy(p, &v, sizeof(v));
  } else {
    for (int k = 0; k < W; ++k) narrow(v[k], p + k);
  }
}

// ---------------------------------------------------------------- work sharing

struct Graph {
  i64 rows;
  const i32* rowptr;
  const i32* col;
  const i32* perm;  // null: edge p stands at position p
  i64 edges;
};

INLINE i64 edge_at(const i32* perm, i64 p) { return perm ? i64(perm[p]) : p; }

constexpr i64 SERIAL = 1 << 15;  // work below which a second thread costs more

// Calls body(batch, first row, last row, number of the piece) for pieces of about equal
// edges. The pieces depend on the work alone, never on the number of threads.
INLINE i64 num_pieces(const Graph& g, i64 batch, i64 width) {
  i64 work = (g.edges + g.rows) * std::max<i64>(width, 1);
  i64 most = batch > 8 ? 8 : 64;
  return std::max<i64>(1, std::min({most, work / (SERIAL / 4), g.rows}));
}

template <class Body>
void over_rows(const Graph& g, i64 batch, i64 width, int threads, Body body) {
  i64 pieces = num_pieces(g, batch, width), total = g.edges + g.rows;
  i64 work = total * std::max<i64>(width, 1) * batch;
  auto bound = [&](i64 piece) -> i64 {  // first row with rowptr[r] + r >= target
    if (piece == pieces) return g.rows;
    i64 target = total / pieces * piece + std::min(piece, total % pieces);
    i64 low = 0, high = g.rows;
    while (low < high) {
      i64 mid = (low + high) / 2;
      if (g.rowptr[mid] + mid < target) low = mid + 1;
      else high = mid;
    }
    return low;
  };
  (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads(threads) \
    if (threads > 1 && work > SERIAL)
  for (i64 task = 0; task < pieces * batch; ++task) {
    i64 b = task / pieces, piece = task % pieces;
    i64 first = bound(piece), last = bound(piece + 1);
    if (first < last) body(b, first, last, piece);
  }
}

INLINE i64 longest_row(const Graph& g, i64 first, i64 last) {
  i64 longest = 0;
  for (i64 i = first; i < last; ++i)
    longest = std::max<i64>(longest, g.rowptr[i + 1] - g.rowptr[i]);
  return longest;
}

// Memory of the calling thread, kept from call to call. Finding it takes as long as a
// short row: ask once for many.
template <class A, int SLOT>
A* scratch(i64 size) {
  static thread_local std::vector<A> memory;
  if (i64(memory.size()) < size) memory.resize(std::size_t(size));
  return memory.data();
}

// ---------------------------------------------------------------- sums over a row

enum Weighting { UNWEIGHTED, PER_EDGE, PER_HEAD };

// The gathered matrix and the edges of one row (or a block of them).
template <class S>
struct Rows {
  const S* x;
  i64 stride;
  const i32* col;
  i64 count;
};

template <class WT>
struct Weights {
  const WT* data;
  i64 stride;       // between edges
  const i32* perm;  // null: weights stand by position
};

// out[0..G*W) (+)= sum over edges of weight * x, G registers of W lanes at once. The last
// register may overlap the one before it, so that any number of columns fits. `add`: to
// what stands there already.
template <class S, class WT, int W, int G, int M>
INLINE void sum_registers(const Rows<S>& r, const Weights<WT>& w, i64 last, i64 first,
                          i64 per_head, bool add, Acc<S>* out) {
  using V = Vec<Acc<S>, W>;
  V acc[G];
  i64 head[G];
  for (int k = 0; k < G; ++k)
    acc[k] = add ? load<W>(out + (k < G - 1 ? k * W : last)) : V{};
  if constexpr (M == PER_HEAD)
    for (int k = 0; k < G; ++k) head[k] = (first + (k < G - 1 ? k * W : last)) / per_head;
  for (i64 p = 0; p < r.count; ++p) {
    const S* row = r.x + r.col[p] * r.stride;
    const WT* we = M == UNWEIGHTED ? nullptr : w.data + edge_at(w.perm, p) * w.stride;
    Acc<S> one = M == PER_EDGE ? Acc<S>(widen(*we)) : Acc<S>(1);
    for (int k = 0; k < G; ++k) {
      V v = load<W>(row + (k < G - 1 ? k * W : last));
      if constexpr (M == UNWEIGHTED) acc[k] += v;
      else if constexpr (M == PER_EDGE) acc[k] += v * one;
      else acc[k] += v * Acc<S>(widen(we[head[k]]));
    }
  }
  for (int k = 0; k < G - 1; ++k) store<W, Acc<S>>(acc[k], out + k * W);
  store<W, Acc<S>>(acc[G - 1], out + last);
}

template <class S, class WT, int W, int M>
void sum_columns(const Rows<S>& r, const Weights<WT>& w, i64 columns, i64 per_head,
                 bool add, Acc<S>* out) {
  i64 registers = (columns + W - 1) / W;
  i64 groups = (registers + 7) / 8;
  i64 done = 0;
  for (i64 group = 0; group < groups; ++group) {
    i64 size = registers / groups + (group < registers % groups);
    i64 first = done * W;
    i64 last = std::min(first + (size - 1) * W, columns - W) - first;
    Rows<S> part{r.x + first, r.stride, r.col, r.count};
    switch (size) {
#define CASE(G)                                                                   \
  case G:                                                                         \
    sum_registers<S, WT, W, G, M>(part, w, last, first, per_head, add,            \
                                  out + first);                                   \
    break;
      CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
    }
    done += size;
  }
}

template <class S, class WT, int M>
void sum_narrow(const Rows<S>& r, const Weights<WT>& w, i64 heads, i64 per_head,
                bool add, Acc<S>* out) {
  if (!add) std::fill(out, out + heads * per_head, Acc<S>(0));
  for (i64 p = 0; p < r.count; ++p) {
    const S* row = r.x + r.col[p] * r.stride;
    const WT* we = M == UNWEIGHTED ? nullptr : w.data + edge_at(w.perm, p) * w.stride;
    for (i64 h = 0; h < heads; ++h) {
      Acc<S> weight = M == UNWEIGHTED ? Acc<S>(1) : Acc<S>(widen(we[M == PER_HEAD ? h : 0]));
      for (i64 c = 0; c < per_head; ++c)
        out[h * per_head + c] += weight * Acc<S>(widen(row[h * per_head + c]));
    }
  }
}

// out[heads * per_head] (+)= sum over the edges of a row.
template <class S, class WT>
void sum_row(const Rows<S>& r, const Weights<WT>& w, i64 heads, i64 per_head, bool add,
             Acc<S>* out) {
  constexpr int W = LANES<Acc<S>>;
  i64 columns = heads * per_head;
  if (w.data && heads > 1) {
    if (per_head % W == 0) return sum_columns<S, WT, W, PER_HEAD>(r, w, columns, per_head, add, out);
    if constexpr (W >= 8)
      if (per_head % (W / 2) == 0)
        return sum_columns<S, WT, W / 2, PER_HEAD>(r, w, columns, per_head, add, out);
    if constexpr (W >= 16)
      if (per_head % (W / 4) == 0)
        return sum_columns<S, WT, W / 4, PER_HEAD>(r, w, columns, per_head, add, out);
    if (per_head < 4) return sum_narrow<S, WT, PER_HEAD>(r, w, heads, per_head, add, out);
    for (i64 h = 0; h < heads; ++h) {
      Rows<S> part{r.x + h * per_head, r.stride, r.col, r.count};
      sum_row(part, Weights<WT>{w.data + h, w.stride, w.perm}, 1, per_head, add,
              out + h * per_head);
    }
    return;
  }
  auto run = [&](auto lanes) {
    constexpr int L = decltype(lanes)::value;
    if (w.data) sum_columns<S, WT, L, PER_EDGE>(r, w, columns, columns, add, out);
    else sum_columns<S, WT, L, UNWEIGHTED>(r, w, columns, columns, add, out);
  };
  if (columns >= W) return run(std::integral_constant<int, W>{});
  if constexpr (W >= 8)
    if (columns >= W / 2) return run(std::integral_constant<int, W / 2>{});
  if constexpr (W >= 16)
    if (columns >= W / 4) return run(std::integral_constant<int, W / 4>{});
  if (w.data) sum_narrow<S, WT, PER_EDGE>(r, w, 1, columns, add, out);
  else sum_narrow<S, WT, UNWEIGHTED>(r, w, 1, columns, add, out);
}

// Where the row of a result is summed: in place, or in scratch for half types.
template <class S, int SLOT>
INLINE Acc<S>* sum_place(S* out, i64 size) {
  if constexpr (std::is_same_v<S, Acc<S>>) return out;
  else return scratch<Acc<S>, SLOT>(size);
}

template <class S>
INLINE void finish_row(const Acc<S>* sum, Acc<S> scale, i64 size, S* out) {
  if (std::is_same_v<S, Acc<S>> && scale == Acc<S>(1)) return;
  for (i64 f = 0; f < size; ++f) narrow(sum[f] * scale, out + f);
}

// Rows [first, last) of a result no wider than 8 registers. Finding the right loop takes
// as long as a row of few edges: here it is found once for all rows.
template <class S, int W, int G, int M>
void sum_rows(const Graph& g, i64 first, i64 last, i64 columns, const S* x, i64 xn,
              const S* w, i64 we, S* out, i64 on, bool mean) {
  for (i64 i = first; i < last; ++i) {
    i64 begin = g.rowptr[i], count = g.rowptr[i + 1] - begin;
    const S* weights = M == UNWEIGHTED ? nullptr : w + (g.perm ? 0 : begin * we);
    sum_registers<S, S, W, G, M>(
        Rows<S>{x, xn, g.col + begin, count},
        Weights<S>{weights, we, g.perm ? g.perm + begin : nullptr}, columns - W, 0,
        columns, false, out + i * on);
    if (mean && count > 1) finish_row(out + i * on, S(1) / S(count), columns, out + i * on);
  }
}

// Whether sum_rows could do it.
template <class S, int M>
bool try_sum_rows(const Graph& g, i64 first, i64 last, i64 columns, const S* x, i64 xn,
                  const S* w, i64 we, S* out, i64 on, bool mean) {
  constexpr int W = LANES<S>;
  if (columns < W || columns > 8 * W) return false;
  switch ((columns + W - 1) / W) {
#define CASE(G)                                                                     \
  case G:                                                                           \
    sum_rows<S, W, G, M>(g, first, last, columns, x, xn, w, we, out, on, mean);     \
    break;
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
  }
  return true;
}

template <class S>
void spmm(const Graph& g, i64 batch, i64 heads, i64 per_head, const S* x, i64 xb, i64 xn,
          const Acc<S>* w, i64 wb, i64 we, S* out, i64 ob, i64 on, int mean, int threads) {
  i64 columns = heads * per_head;
  over_rows(g, batch, columns, threads, [&](i64 b, i64 first, i64 last, i64) {
    if constexpr (std::is_same_v<S, Acc<S>>) {
      auto run = [&](auto weighting) {
        return try_sum_rows<S, decltype(weighting)::value>(
            g, first, last, columns, x + b * xb, xn, w ? w + b * wb : nullptr, we,
            out + b * ob, on, mean);
      };
      if (!w && run(std::integral_constant<int, UNWEIGHTED>{})) return;
      if (w && heads == 1 && run(std::integral_constant<int, PER_EDGE>{})) return;
    }
    for (i64 i = first; i < last; ++i) {
      i64 begin = g.rowptr[i], count = g.rowptr[i + 1] - begin;
      S* to = out + b * ob + i * on;
      Acc<S>* sum = sum_place<S, 0>(to, columns);
      const Acc<S>* weights = w ? w + b * wb + (g.perm ? 0 : begin * we) : nullptr;
      sum_row(Rows<S>{x + b * xb, xn, g.col + begin, count},
              Weights<Acc<S>>{weights, we, g.perm ? g.perm + begin : nullptr}, heads,
              per_head, false, sum);
      finish_row(sum, mean && count > 1 ? Acc<S>(1) / Acc<S>(count) : Acc<S>(1), columns, to);
    }
  });
}

// ---------------------------------------------------------------- max and min

// Winner of each column among the edges of a row, G registers at once so that their
// chains of comparisons overlap. NaN wins and stays. The row must have an edge.
template <class S, int W, int G, bool LARGEST>
INLINE void best_registers(const Rows<S>& r, const Weights<Acc<S>>& w, i64 head, i64 last,
                           i64 begin, S* out, i32* arg) {
  using A = Acc<S>;
  using V = Vec<A, W>;
  using I = std::conditional_t<sizeof(A) == 4, i32, i64>;
  V best[G];
  Vec<I, W> winner[G];
  for (i64 p = 0; p < r.count; ++p) {
    const S* row = r.x + r.col[p] * r.stride;
    A weight = w.data ? w.data[edge_at(w.perm, p) * w.stride + head] : A(1);
    for (int k = 0; k < G; ++k) {
      V v = load<W>(row + (k < G - 1 ? k * W : last)) * weight;
      Vec<I, W> here = Vec<I, W>{} + I(begin + p);
      if (p == 0) {
        best[k] = v;
        winner[k] = here;
      } else {
        Vec<I, W> take = (LARGEST ? v > best[k] : v < best[k]) | (v != v);
        best[k] = take ? v : best[k];
        winner[k] = take ? here : winner[k];
      }
    }
  }
  for (int k = 0; k < G; ++k) {
    i64 at = k < G - 1 ? k * W : last;
    store<W, S>(best[k], out + at);
    auto winners = __builtin_convertvector(winner[k], Vec<i32, W>);
    std::memcpy(arg + at, &winners, sizeof(winners));
  }
}

template <class S, int W, bool LARGEST>
void best_columns(const Rows<S>& r, const Weights<Acc<S>>& w, i64 columns, i64 head,
                  i64 begin, S* out, i32* arg) {
  i64 f = 0;
  for (; f + 4 * W <= columns; f += 4 * W)
    best_registers<S, W, 4, LARGEST>(Rows<S>{r.x + f, r.stride, r.col, r.count}, w, head,
                                     3 * W, begin, out + f, arg + f);
  for (; f < columns; f += W) {
    i64 at = std::min(f, columns - W);
    best_registers<S, W, 1, LARGEST>(Rows<S>{r.x + at, r.stride, r.col, r.count}, w, head,
                                     0, begin, out + at, arg + at);
  }
}

template <class S, bool LARGEST>
void best_row(const Rows<S>& r, const Weights<Acc<S>>& w, i64 columns, i64 head, i64 begin,
              S* out, i32* arg) {
  constexpr int W = LANES<Acc<S>>;
  if (r.count == 0) {
    std::memset(out, 0, sizeof(S) * std::size_t(columns));
    std::fill(arg, arg + columns, -1);
    return;
  }
  if (columns >= W) return best_columns<S, W, LARGEST>(r, w, columns, head, begin, out, arg);
  if constexpr (W >= 8)
    if (columns >= W / 2)
      return best_columns<S, W / 2, LARGEST>(r, w, columns, head, begin, out, arg);
  best_columns<S, 1, LARGEST>(r, w, columns, head, begin, out, arg);
}

template <class S>
void spextreme(const Graph& g, i64 batch, i64 heads, i64 per_head, const S* x, i64 xb,
               i64 xn, const Acc<S>* w, i64 wb, i64 we, S* out, i32* arg, int largest,
               int threads) {
  i64 columns = heads * per_head;
  over_rows(g, batch, 2 * columns, threads, [&](i64 b, i64 first, i64 last, i64) {
    for (i64 i = first; i < last; ++i) {
      i64 begin = g.rowptr[i], count = g.rowptr[i + 1] - begin;
      i64 place = (b * g.rows + i) * columns;
      const Acc<S>* weights = w ? w + b * wb + (g.perm ? 0 : begin * we) : nullptr;
      Weights<Acc<S>> weight{weights, we, g.perm ? g.perm + begin : nullptr};
      i64 step = w ? per_head : columns;
      for (i64 at = 0; at < columns; at += step) {
        Rows<S> r{x + b * xb + at, xn, g.col + begin, count};
        auto row = largest ? best_row<S, true> : best_row<S, false>;
        row(r, weight, step, at / step, begin, out + place + at, arg + place + at);
      }
    }
  });
}

// Threads own ranges of columns: two rows may send gradient to the same source.
template <class S>
void spextreme_grad_x(const Graph& g, i64 batch, i64 heads, i64 per_head, const S* grad,
                      const i32* arg, const Acc<S>* w, i64 wb, i64 we, Acc<S>* out,
                      i64 sources, int threads) {
  i64 columns = heads * per_head;
  i64 ranges = std::max<i64>(1, std::min<i64>(threads, columns / 4));
#pragma omp parallel for schedule(static) num_threads(threads) \
    if (threads > 1 && batch * g.rows * columns > SERIAL)
  for (i64 task = 0; task < batch * ranges; ++task) {
    i64 b = task / ranges, range = task % ranges;
    i64 from = columns * range / ranges, to = columns * (range + 1) / ranges;
    for (i64 i = 0; i < g.rows; ++i) {
      i64 row = (b * g.rows + i) * columns;
      for (i64 f = from; f < to; ++f) {
        i32 p = arg[row + f];
        if (p < 0) continue;
        Acc<S> value = widen(grad[row + f]);
        if (w) value *= widen(w[b * wb + edge_at(g.perm, p) * we + f / per_head]);
        out[(b * sources + g.col[p]) * columns + f] += value;
      }
    }
  }
}

// An edge belongs to one row, so rows can be shared out; all of a batch that shares its
// weights goes to the same thread, in order.
template <class S>
void spextreme_grad_w(const Graph& g, i64 batch, i64 heads, i64 per_head, const S* grad,
                      const i32* arg, const S* x, i64 xb, i64 xn, Acc<S>* out, i64 ob,
                      int threads) {
  i64 columns = heads * per_head;
  over_rows(g, 1, columns * batch, threads, [&](i64, i64 first, i64 last, i64) {
    for (i64 b = 0; b < batch; ++b)
      for (i64 i = first; i < last; ++i) {
        i64 row = (b * g.rows + i) * columns;
        for (i64 f = 0; f < columns; ++f) {
          i32 p = arg[row + f];
          if (p < 0) continue;
          Acc<S> value = widen(x[b * xb + g.col[p] * xn + f]);
          out[b * ob + edge_at(g.perm, p) * heads + f / per_head] +=
              value * Acc<S>(widen(grad[row + f]));
        }
      }
  });
}

// ---------------------------------------------------------------- inner products

// Sums the lanes of eight vectors into the lanes of one.
template <class A>
INLINE Vec<A, 8> sums8(const Vec<A, 8>* v) {
  using V = Vec<A, 8>;
  V pair[4], quad[2];
  for (int k = 0; k < 4; ++k)
    pair[k] = __builtin_shufflevector(v[2 * k], v[2 * k + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
              __builtin_shufflevector(v[2 * k], v[2 * k + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  for (int k = 0; k < 2; ++k)
    quad[k] = __builtin_shufflevector(pair[2 * k], pair[2 * k + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
              __builtin_shufflevector(pair[2 * k], pair[2 * k + 1], 2, 3, 10, 11, 6, 7, 14, 15);
  return __builtin_shufflevector(quad[0], quad[1], 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(quad[0], quad[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

// How one lane of an inner product is made: of a product ...
template <class A>
struct Product {
  static constexpr bool HAS_THIRD = false;
  template <class V>
  INLINE V operator()(V local, V far, V) const {
    return local * far;
  }
};
// ... or of GATv2's score, with the attention vector as third operand.
template <class A>
struct LeakyScore {
  static constexpr bool HAS_THIRD = true;
  A slope;
  template <class V>
  INLINE V operator()(V local, V far, V att) const {
    V z = local + far;
    return att * (z > 0 ? z : z * slope);
  }
};

// The lanes of one inner product over K * 8 columns (K = 0: any multiple of 8).
template <int K, class S, class Term>
INLINE Vec<Acc<S>, 8> dot_lanes(const Acc<S>* local, const S* far, const Acc<S>* third,
                                i64 columns, Term term) {
  Vec<Acc<S>, 8> sum = {};
  i64 size = K ? K * 8 : columns;
  for (i64 c = 0; c < size; c += 8)
    sum += term(load<8>(local + c), load<8>(far + c),
                Term::HAS_THIRD ? load<8>(third + c) : Vec<Acc<S>, 8>{});
  return sum;
}

template <int K, class S, class Term>
INLINE void dot_eights(const Rows<S>& r, const Acc<S>* local, const Acc<S>* third, i64 heads,
                       i64 per_head, Term term, Acc<S>* out) {
  using A = Acc<S>;
  using V = Vec<A, 8>;
  i64 total = r.count * heads;
  if (heads % 8 == 0) {  // eight heads of an edge share one reduction
    for (i64 p = 0; p < r.count; ++p) {
      const S* row = r.x + r.col[p] * r.stride;
      for (i64 h = 0; h < heads; h += 8) {
        V sums[8];
        for (int k = 0; k < 8; ++k) {
          i64 at = (h + k) * (K ? K * 8 : per_head);
          sums[k] = dot_lanes<K, S>(local + at, row + at, third + at, per_head, term);
        }
        store<8, A>(sums8<A>(sums), out + p * heads + h);
      }
    }
    return;
  }
  i64 p = 0, h = 0;
  for (i64 t = 0; t < total; t += 8) {  // or eight pairs of an edge and a head do
    V sums[8] = {};
    int filled = int(std::min<i64>(8, total - t));
    for (int k = 0; k < filled; ++k) {
      const S* row = r.x + r.col[p] * r.stride;
      i64 at = h * per_head;
      sums[k] = dot_lanes<K, S>(local + at, row + at, third + at, per_head, term);
      if (++h == heads) h = 0, ++p;
    }
    V dots = sums8<A>(sums);
    std::memcpy(out + t, &dots, sizeof(A) * std::size_t(filled));
  }
}

// out[p * heads + h] = sum over head h's columns of term(local, gathered, third).
template <class S, class Term>
void dot_row(const Rows<S>& r, const Acc<S>* local, const Acc<S>* third, i64 heads,
             i64 per_head, Term term, Acc<S>* out) {
  using A = Acc<S>;
  if (per_head % 8 == 0) {
    switch (per_head) {
      case 8: return dot_eights<1>(r, local, third, heads, per_head, term, out);
      case 16: return dot_eights<2>(r, local, third, heads, per_head, term, out);
      case 32: return dot_eights<4>(r, local, third, heads, per_head, term, out);
      case 64: return dot_eights<8>(r, local, third, heads, per_head, term, out);
      default: return dot_eights<0>(r, local, third, heads, per_head, term, out);
    }
  }
  for (i64 p = 0, t = 0; p < r.count; ++p) {
    const S* row = r.x + r.col[p] * r.stride;
    for (i64 h = 0; h < heads; ++h) {
      A sum = 0;
      for (i64 f = h * per_head; f < (h + 1) * per_head; ++f) {
        Vec<A, 2> a = {local[f], 0}, b = {A(widen(row[f])), 0}, c = {third[f], 0};
        sum += term(a, b, c)[0];
      }
      out[t++] = sum;
    }
  }
}

// Calls f(lanes, head) for eight heads at a time where heads come in eights.
template <class F>
INLINE void by_heads(i64 heads, F f) {
  if (heads % 8 == 0)
    for (i64 h = 0; h < heads; h += 8) f(std::integral_constant<int, 8>{}, h);
  else
    for (i64 h = 0; h < heads; ++h) f(std::integral_constant<int, 1>{}, h);
}

template <class S, int SLOT>
INLINE const Acc<S>* widened(const S* row, i64 size) {
  if constexpr (std::is_same_v<S, Acc<S>>) {
    return row;
  } else {
    Acc<S>* wide = scratch<Acc<S>, SLOT>(size);
    for (i64 f = 0; f < size; ++f) wide[f] = widen(row[f]);
    return wide;
  }
}

template <class S>
void sddmm(const Graph& g, i64 batch, i64 heads, i64 per_head, const S* a, i64 ab, i64 an,
           const S* b, i64 bb, i64 bn, Acc<S>* out, int threads) {
  using A = Acc<S>;
  i64 columns = heads * per_head;
  over_rows(g, batch, columns, threads, [&](i64 n, i64 first, i64 last, i64) {
    A* memory = scratch<A, 1>(longest_row(g, first, last) * heads);
    for (i64 i = first; i < last; ++i) {
      i64 begin = g.rowptr[i], count = g.rowptr[i + 1] - begin;
      const A* local = widened<S, 0>(a + n * ab + i * an, columns);
      A* to = out + n * g.edges * heads;
      A* dots = g.perm ? memory : to + begin * heads;
      dot_row(Rows<S>{b + n * bb, bn, g.col + begin, count}, local, local, heads, per_head,
              Product<A>{}, dots);
      if (!g.perm) continue;
      for (i64 p = 0; p < count; ++p)
        for (i64 h = 0; h < heads; ++h)
          to[edge_at(g.perm, begin + p) * heads + h] = dots[p * heads + h];
    }
  });
}

// ---------------------------------------------------------------- softmax over a row

// exp of a non-positive number, in place. float: Cody-Waite reduction and a polynomial,
// error below 2 ulp; below -87 the result would be subnormal and is 0.
INLINE void exp_inplace(double* v, i64 size) {
  for (i64 k = 0; k < size; ++k) v[k] = std::exp(v[k]);
}
template <int W>
INLINE Vec<float, W> exp_lanes(Vec<float, W> x) {
  using V = Vec<float, W>;
  using I = Vec<i32, W>;
  V clamped = x < -87.0f ? V{} - 87.0f : x;
  V shifted = clamped * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: rounds to an integer
  V n = shifted - 12582912.0f;
  V r = clamped - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  V y = r * 1.9875691500e-4f + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * (r * r) + r + 1.0f;
  I power = (bits_as<I>(shifted) - 0x4b400000 + 127) << 23;
  V result = y * bits_as<V>(power);
  return x < -87.0f ? V{} : result;
}
INLINE void exp_inplace(float* v, i64 size) {
  constexpr int W = LANES<float>;
  i64 k = 0;
  for (; k + W <= size; k += W) store<W, float>(exp_lanes<W>(load<W>(v + k)), v + k);
  if (k < size) {
    float rest[W] = {};
    std::memcpy(rest, v + k, sizeof(float) * std::size_t(size - k));
    store<W, float>(exp_lanes<W>(load<W>(rest)), rest);
    std::memcpy(v + k, rest, sizeof(float) * std::size_t(size - k));
  }
}

// log of numbers from 1 up (or NaN), in place: exponent apart, and a polynomial.
INLINE void log_inplace(double* v, i64 size) {
  for (i64 k = 0; k < size; ++k) v[k] = std::log(v[k]);
}
template <int W>
INLINE Vec<float, W> log_lanes(Vec<float, W> x) {
  using V = Vec<float, W>;
  using I = Vec<i32, W>;
  I bits = bits_as<I>(x);
  I exponent = (bits >> 23) - 126;
  V m = bits_as<V>((bits & 0x007fffff) | 0x3f000000);  // in [1/2, 1)
  auto low = m < 0.707106781f;
  exponent = low ? exponent - 1 : exponent;
  m = (low ? m + m : m) - 1.0f;
  V y = m * 7.0376836292e-2f - 1.1514610310e-1f;
  y = y * m + 1.1676998740e-1f;
  y = y * m - 1.2420140846e-1f;
  y = y * m + 1.4249322787e-1f;
  y = y * m - 1.6668057665e-1f;
  y = y * m + 2.0000714765e-1f;
  y = y * m - 2.4999993993e-1f;
  y = y * m + 3.3333331174e-1f;
  V e = __builtin_convertvector(exponent, V);
  V square = m * m;
  V out = m + (y * m * square - e * 2.12194440e-4f - square * 0.5f) + e * 0.693359375f;
  return x != x ? x : out;
}
INLINE void log_inplace(float* v, i64 size) {
  constexpr int W = 8;
  for (i64 k = 0; k < size; k += W) {
    float lanes[W];
    i64 count = std::min<i64>(W, size - k);
    std::fill(lanes, lanes + W, 1.0f);
    std::memcpy(lanes, v + k, sizeof(float) * std::size_t(count));
    store<W, float>(log_lanes<W>(load<W>(lanes)), lanes);
    std::memcpy(v + k, lanes, sizeof(float) * std::size_t(count));
  }
}

// scores[count, heads] become exp(score - top); returns in top and sum the largest score
// and the sum of each head. Scores of minus infinity only give zeros.
template <class A>
void softmax_row(A* scores, i64 count, i64 heads, A* top, A* sum) {
  std::fill(top, top + heads, std::numeric_limits<A>::lowest());
  std::fill(sum, sum + heads, A(0));
  by_heads(heads, [&](auto lanes, i64 h) {
    constexpr int W = decltype(lanes)::value;
    auto best = load<W>(top + h);
    for (i64 p = 0; p < count; ++p) {
      auto v = load<W>(scores + p * heads + h);
      best = v > best ? v : best;
    }
    store<W, A>(best, top + h);
    for (i64 p = 0; p < count; ++p)
      store<W, A>(load<W>(scores + p * heads + h) - best, scores + p * heads + h);
  });
  exp_inplace(scores, count * heads);
  by_heads(heads, [&](auto lanes, i64 h) {
    constexpr int W = decltype(lanes)::value;
    auto total = load<W>(sum + h);
    for (i64 p = 0; p < count; ++p) total += load<W>(scores + p * heads + h);
    store<W, A>(total, sum + h);
  });
}

template <class S>
void edge_softmax(const Graph& g, i64 batch, i64 heads, const S* logits, S* out,
                  int threads) {
  using A = Acc<S>;
  over_rows(g, batch, 8 * heads, threads, [&](i64 b, i64 first, i64 last, i64) {
    A* top = scratch<A, 1>(2 * heads);
    A* sum = top + heads;
    A* scores = scratch<A, 0>(longest_row(g, first, last) * heads);
    for (i64 i = first; i < last; ++i) {
      i64 begin = g.rowptr[i], count = g.rowptr[i + 1] - begin;
      const S* from = logits + b * g.edges * heads;
      for (i64 p = 0; p < count; ++p)
        for (i64 h = 0; h < heads; ++h)
          scores[p * heads + h] = widen(from[edge_at(g.perm, begin + p) * heads + h]);
      softmax_row(scores, count, heads, top, sum);
      for (i64 h = 0; h < heads; ++h) sum[h] = sum[h] == A(0) ? A(1) : A(1) / sum[h];
      S* to = out + b * g.edges * heads;
      for (i64 p = 0; p < count; ++p)
        for (i64 h = 0; h < heads; ++h)
          narrow(scores[p * heads + h] * sum[h],
                 to + edge_at(g.perm, begin + p) * heads + h);
    }
  });
}

template <class S>
void edge_softmax_grad(const Graph& g, i64 batch, i64 heads, const S* alpha, const S* grad,
                       S* out, int threads) {
  using A = Acc<S>;
  over_rows(g, batch, 8 * heads, threads, [&](i64 b, i64 first, i64 last, i64) {
    A* sum = scratch<A, 0>(heads);
    i64 at = b * g.edges * heads;
    for (i64 i = first; i < last; ++i) {
      std::fill(sum, sum + heads, A(0));
      for (i64 p = g.rowptr[i]; p < g.rowptr[i + 1]; ++p)
        for (i64 h = 0; h < heads; ++h) {
          i64 e = at + edge_at(g.perm, p) * heads + h;
          sum[h] += A(widen(alpha[e])) * A(widen(grad[e]));
        }
      for (i64 p = g.rowptr[i]; p < g.rowptr[i + 1]; ++p)
        for (i64 h = 0; h < heads; ++h) {
          i64 e = at + edge_at(g.perm, p) * heads + h;
          narrow(A(widen(alpha[e])) * (A(widen(grad[e])) - sum[h]), out + e);
        }
    }
  });
}

// ---------------------------------------------------------------- attention

// The counter-based generator of reference.py: splitmix64, upper 24 bits.
INLINE u32 noise(u64 seed, u64 counter) {
  u64 z = seed + (counter + 1) * 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return u32((z ^ (z >> 31)) >> 40);
}

enum Score { ADDITIVE, GATV2, DOT };

template <class S>
struct Operand {  // [batch, rows, columns], last dimension contiguous
  const S* data;
  i64 batch, row;
  const S* at(i64 b, i64 i) const { return data + b * batch + i * row; }
};

// What a Python caller fills in; pointers are void there.
template <class S>
struct Attention {
  i64 batch, heads, key_width, value_width, kind;
  Operand<S> query, key, value;
  const S* att;  // GATv2 only
  i64 att_batch;
  double slope, scale, keep;
  const i64* seeds;  // null: no dropout
};

// scores[count, heads] of the edges `r` of one node, whose own part is `local`. Serves
// both directions: the scores are symmetric in query and key.
template <class S>
void score_row(const Attention<S>& t, const Rows<S>& r, const Acc<S>* local,
               const Acc<S>* att, Acc<S>* scores) {
  using A = Acc<S>;
  if (t.kind == DOT) {
    dot_row(r, local, local, t.heads, t.key_width, Product<A>{}, scores);
    for (i64 k = 0; k < r.count * t.heads; ++k) scores[k] *= A(t.scale);
  } else if (t.kind == GATV2) {
    dot_row(r, local, att, t.heads, t.key_width, LeakyScore<A>{A(t.slope)}, scores);
  } else {
    A slope = A(t.slope);
    for (i64 p = 0; p < r.count; ++p) {
      const S* far = r.x + r.col[p] * r.stride;
      by_heads(t.heads, [&](auto lanes, i64 h) {
        constexpr int W = decltype(lanes)::value;
        auto z = load<W>(local + h) + load<W>(far + h);
        store<W, A>(z > 0 ? z : z * slope, scores + p * t.heads + h);
      });
    }
  }
}

// Multiplies by 0 or 1 / keep.
template <class S>
void drop_row(const Attention<S>& t, const i32* perm, i64 begin, i64 count, i64 b,
              Acc<S>* values) {
  u32 threshold = u32(std::nearbyint(t.keep * 16777216.0));
  Acc<S> factor = Acc<S>(1.0 / t.keep);
  for (i64 p = 0; p < count; ++p) {
    u64 counter = u64(edge_at(perm, begin + p)) * u64(t.heads);
    for (i64 h = 0; h < t.heads; ++h)
      values[p * t.heads + h] *=
          noise(u64(t.seeds[b]), counter + u64(h)) < threshold ? factor : Acc<S>(0);
  }
}

template <class S>
void attend(const Graph& g, const Attention<S>& t, S* out, Acc<S>* lse, int threads) {
  using A = Acc<S>;
  i64 query_width = t.kind == ADDITIVE ? t.heads : t.heads * t.key_width;
  i64 columns = t.heads * t.value_width;
  i64 width = 2 * columns + 8 * t.heads;
  over_rows(g, t.batch, width, threads, [&](i64 b, i64 first, i64 last, i64) {
    A* top = scratch<A, 1>(2 * t.heads);
    A* sum = top + t.heads;
    A* scores = scratch<A, 0>(longest_row(g, first, last) * t.heads);
    const A* att = t.kind == GATV2 ? widened<S, 4>(t.att + b * t.att_batch, query_width) : nullptr;
    for (i64 i = first; i < last; ++i) {
      i64 begin = g.rowptr[i], count = g.rowptr[i + 1] - begin;
      const A* local = widened<S, 3>(t.query.at(b, i), query_width);
      const i32* col = g.col + begin;
      score_row(t, Rows<S>{t.key.at(b, 0), t.key.row, col, count}, local, att, scores);
      softmax_row(scores, count, t.heads, top, sum);
      A* to_lse = lse + (b * g.rows + i) * t.heads;
      std::copy(sum, sum + t.heads, to_lse);
      log_inplace(to_lse, t.heads);
      for (i64 h = 0; h < t.heads; ++h) {
        to_lse[h] = sum[h] == A(0) ? A(0) : top[h] + to_lse[h];
        sum[h] = sum[h] == A(0) ? A(1) : A(1) / sum[h];
      }
      by_heads(t.heads, [&](auto lanes, i64 h) {
        constexpr int W = decltype(lanes)::value;
        auto factor = load<W>(sum + h);
        for (i64 p = 0; p < count; ++p)
          store<W, A>(load<W>(scores + p * t.heads + h) * factor, scores + p * t.heads + h);
      });
      if (t.seeds) drop_row(t, g.perm, begin, count, b, scores);
      S* to = out + (b * g.rows + i) * columns;
      A* total = sum_place<S, 2>(to, columns);
      sum_row(Rows<S>{t.value.at(b, 0), t.value.row, col, count},
              Weights<A>{scores, t.heads, nullptr}, t.heads, t.value_width, false,
              total);
      finish_row(total, A(1), columns, to);
    }
  });
}

// Per destination and head, side by side for one cache line an edge: the log of the
// softmax's denominator and D = <out, grad>.
template <class S>
void attend_record(const Attention<S>& t, i64 rows, const S* out, const Acc<S>* lse,
                   Operand<S> grad, Acc<S>* record, int threads) {
  using A = Acc<S>;
  i64 heads = t.heads, width = t.value_width;
  const i32 itself = 0;
#pragma omp parallel for schedule(static) num_threads(threads) \
    if (threads > 1 && t.batch * rows * heads * width > SERIAL)
  for (i64 n = 0; n < t.batch * rows; ++n) {
    const S* o = out + n * heads * width;
    const S* d = grad.at(n / rows, n % rows);
    const A* wide = widened<S, 2>(d, heads * width);
    A* to = record + n * 2 * heads;
    std::copy(lse + n * heads, lse + (n + 1) * heads, to);
    dot_row(Rows<S>{o, 0, &itself, 1}, wide, wide, heads, width, Product<A>{}, to + heads);
  }
}

// What the gradient of a score is multiplied with on its way to query and key. Without
// branches: the signs of scores cannot be predicted. `scores` may be read past its end,
// up to a register.
template <class S>
INLINE void score_slopes(const Attention<S>& t, const Acc<S>* scores, i64 size, Acc<S>* out) {
  constexpr int W = LANES<Acc<S>>;
  using V = Vec<Acc<S>, W>;
  Acc<S> above = t.kind == DOT ? Acc<S>(t.scale) : Acc<S>(1);
  Acc<S> below = t.kind == ADDITIVE ? Acc<S>(t.slope) : above;
  for (i64 k = 0; k < size; k += W)
    store<W, Acc<S>>(load<W>(scores + k) > 0 ? V{} + above : V{} + below, out + k);
}

constexpr i64 BLOCK = 64;  // edges whose gathered rows stay in the innermost cache

// GATv2's score has its gradient channel by channel: adds ds * leaky'(z) to `slopes` and,
// if asked, ds * leaky(z) to `values`.
template <class S>
void gatv2_row(const Attention<S>& t, const Rows<S>& r, const Acc<S>* local,
               const Acc<S>* ds, Acc<S>* slopes, Acc<S>* values) {
  using A = Acc<S>;
  A slope = A(t.slope);
  for (i64 p = 0; p < r.count; ++p) {
    const S* far = r.x + r.col[p] * r.stride;
    for (i64 h = 0; h < t.heads; ++h) {
      A d = ds[p * t.heads + h];
      for (i64 k = h * t.key_width; k < (h + 1) * t.key_width; ++k) {
        A z = local[k] + A(widen(far[k]));
        A step = z > 0 ? d : d * slope;
        slopes[k] += step;
        if (values) values[k] += step * z;
      }
    }
  }
}

// Gradients of sources, over the edges grouped by source (`g` is the transposed graph).
// The gradient of each score goes to ds, in edge order. `partial` is GATv2's [pieces *
// batch, heads * key_width], to be summed by the caller in order.
template <class S>
void attend_grad(const Graph& g, const Attention<S>& t, Operand<S> grad,
                 const Acc<S>* record, i64 destinations, S* grad_key, S* grad_value,
                 Acc<S>* ds, Acc<S>* partial, int threads) {
  using A = Acc<S>;
  i64 heads = t.heads, columns = heads * t.value_width;
  i64 key_width = t.kind == ADDITIVE ? heads : heads * t.key_width;
  i64 width = 2 * columns + 8 * heads, pieces = num_pieces(g, t.batch, width);
  over_rows(g, t.batch, width, threads, [&](i64 b, i64 first, i64 last, i64 piece) {
    A* alpha = scratch<A, 0>(4 * BLOCK * heads + LANES<A>);
    A *dots = alpha + BLOCK * heads, *kept = dots + BLOCK * heads, *factor = kept + BLOCK * heads;
    A* key_sum = scratch<A, 1>(2 * key_width + columns);
    A *value_sum = key_sum + key_width, *slopes = value_sum + columns;
    A* att_sum = partial ? partial + (b * pieces + piece) * key_width : nullptr;
    const A* att = t.kind == GATV2 ? widened<S, 4>(t.att + b * t.att_batch, key_width) : nullptr;
    const A* rec = record + b * destinations * 2 * heads;
    A* to_ds = ds + b * g.edges * heads;
    for (i64 j = first; j < last; ++j) {
      const A* key = widened<S, 2>(t.key.at(b, j), key_width);
      const A* value = widened<S, 3>(t.value.at(b, j), columns);
      std::fill(key_sum, key_sum + 2 * key_width + columns, A(0));
      for (i64 begin = g.rowptr[j]; begin < g.rowptr[j + 1]; begin += BLOCK) {
        i64 count = std::min<i64>(BLOCK, g.rowptr[j + 1] - begin), size = count * heads;
        const i32* col = g.col + begin;
        Rows<S> queries{t.query.at(b, 0), t.query.row, col, count};
        Rows<S> grads{grad.at(b, 0), grad.row, col, count};
        score_row(t, queries, key, att, alpha);
        score_slopes(t, alpha, size, factor);
        for (i64 p = 0; p < count; ++p) {
          const A* from = rec + col[p] * 2 * heads;
          by_heads(heads, [&](auto lanes, i64 h) {
            constexpr int W = decltype(lanes)::value;
            A* to = alpha + p * heads + h;
            store<W, A>(load<W>(to) - load<W>(from + h), to);
          });
        }
        exp_inplace(alpha, size);
        dot_row(grads, value, value, heads, t.value_width, Product<A>{}, dots);
        std::copy(alpha, alpha + size, kept);
        if (t.seeds) drop_row(t, g.perm, begin, count, b, kept);
        sum_row(grads, Weights<A>{kept, heads, nullptr}, heads, t.value_width, true, value_sum);
        for (i64 p = 0; p < count; ++p) {
          const A* d = rec + col[p] * 2 * heads + heads;
          A* to = to_ds + edge_at(g.perm, begin + p) * heads;
          by_heads(heads, [&](auto lanes, i64 h) {
            constexpr int W = decltype(lanes)::value;
            i64 k = p * heads + h;
            auto v = load<W>(kept + k) * load<W>(dots + k) - load<W>(alpha + k) * load<W>(d + h);
            v *= load<W>(factor + k);
            store<W, A>(v, dots + k);
            store<W, A>(v, to + h);
            if (t.kind == ADDITIVE) store<W, A>(load<W>(key_sum + h) + v, key_sum + h);
          });
        }
        if (t.kind == DOT)
          sum_row(queries, Weights<A>{dots, heads, nullptr}, heads, t.key_width, true, key_sum);
        else if (t.kind == GATV2)
          gatv2_row(t, queries, key, dots, slopes, att_sum);
      }
      if (t.kind == GATV2)
        for (i64 k = 0; k < key_width; ++k) key_sum[k] = slopes[k] * att[k];
      i64 place = b * g.rows + j;
      for (i64 k = 0; k < key_width; ++k) narrow(key_sum[k], grad_key + place * key_width + k);
      for (i64 k = 0; k < columns; ++k) narrow(value_sum[k], grad_value + place * columns + k);
    }
  });
}

// Gradients of destinations from those of the scores, over the edges by destination.
template <class S>
void attend_grad_query(const Graph& g, const Attention<S>& t, const Acc<S>* ds,
                       S* grad_query, int threads) {
  using A = Acc<S>;
  i64 heads = t.heads;
  i64 width = t.kind == ADDITIVE ? heads : heads * t.key_width;
  over_rows(g, t.batch, 2 * width, threads, [&](i64 b, i64 first, i64 last, i64) {
    A* sum = scratch<A, 0>(width);
    A* block = scratch<A, 1>(BLOCK * heads);
    const A* att = t.kind == GATV2 ? widened<S, 4>(t.att + b * t.att_batch, width) : nullptr;
    const A* from = ds + b * g.edges * heads;
    for (i64 i = first; i < last; ++i) {
      std::fill(sum, sum + width, A(0));
      const A* query = widened<S, 2>(t.query.at(b, i), width);
      for (i64 begin = g.rowptr[i]; begin < g.rowptr[i + 1]; begin += BLOCK) {
        i64 count = std::min<i64>(BLOCK, g.rowptr[i + 1] - begin);
        for (i64 p = 0; p < count; ++p) {
          if (i64 ahead = begin + p + 24; g.perm && ahead < g.edges)  // edges are scattered
            __builtin_prefetch(from + i64(g.perm[ahead]) * heads);
          const A* d = from + edge_at(g.perm, begin + p) * heads;
          by_heads(heads, [&](auto lanes, i64 h) {
            constexpr int W = decltype(lanes)::value;
            A* to = t.kind == ADDITIVE ? sum + h : block + p * heads + h;
            auto v = load<W>(d + h);
            store<W, A>(t.kind == ADDITIVE ? load<W>(to) + v : v, to);
          });
        }
        Rows<S> keys{t.key.at(b, 0), t.key.row, g.col + begin, count};
        if (t.kind == DOT)
          sum_row(keys, Weights<A>{block, heads, nullptr}, heads, t.key_width, true, sum);
        else if (t.kind == GATV2)
          gatv2_row(t, keys, query, block, sum, static_cast<A*>(nullptr));
      }
      if (t.kind == GATV2)
        for (i64 k = 0; k < width; ++k) sum[k] *= att[k];
      for (i64 k = 0; k < width; ++k)
        narrow(sum[k], grad_query + (b * g.rows + i) * width + k);
    }
  });
}

// ---------------------------------------------------------------- hops from sources

// The sources of column k are node[ptr[k]] to node[ptr[k + 1] - 1].
struct Sources {
  i64 columns;
  const i64* ptr;
  const i32* node;
};

constexpr i64 WORD = 64;          // columns of one sweep, one bit each
constexpr i64 SWEEP_LEVELS = 64;  // deeper graphs are faster with one queue per column,
constexpr i64 SWEEP_COLUMNS = 4;  // and so are this many columns or fewer
constexpr i64 WALK_COLUMNS = 8;   // walked before they are written, row by row

enum Search : char { TOO_DEEP, COMPLETE, CUT };  // CUT: nodes were left at the limit

// Hops of up to 64 columns, all in one breadth-first search over words of bits. If the
// graph is deeper than is worth it, the columns of `out` are to be written anew.
template <class T>
Search sweep_hops(const Graph& g, const Sources& s, i64 first, i64 last, i64 limit, T* out) {
  struct State {
    u64 seen, next;
  };
  std::vector<State> state(std::size_t(g.rows), State{0, 0});
  std::vector<u64> front(std::size_t(g.rows));
  for (i64 k = first; k < last; ++k)
    for (i64 q = s.ptr[k]; q < s.ptr[k + 1]; ++q) state[s.node[q]].next |= u64(1) << (k - first);
  for (i64 level = 0;; ++level) {
    bool any = false;
    for (i64 v = 0; v < g.rows; ++v) {
      u64 fresh = state[v].next & ~state[v].seen;
      front[v] = fresh;
      state[v] = {state[v].seen | fresh, 0};
      any |= fresh != 0;
      T* row = out + v * s.columns + first;
      for (; fresh; fresh &= fresh - 1) row[__builtin_ctzll(fresh)] = T(level);
    }
    if (!any || level == limit) return any ? CUT : COMPLETE;
    if (level == SWEEP_LEVELS) return TOO_DEEP;
    for (i64 u = 0; u < g.rows; ++u) {
      u64 bits = front[u];
      if (!bits) continue;
      for (i64 p = g.rowptr[u]; p < g.rowptr[u + 1]; ++p) {
        // Neighbours are scattered; those of the next rows follow in memory.
        if (p + 16 < g.edges) __builtin_prefetch(&state[g.col[p + 16]], 1);
        state[g.col[p]].next |= bits;
      }
    }
  }
}

// Hops of one column, with a queue.
template <class T>
Search walk_hops(const Graph& g, const i32* source, const i32* end, i64 limit, T* hops,
               i32* queue) {
  std::fill(hops, hops + g.rows, T(-1));
  i64 head = 0, tail = 0;
  for (; source < end; ++source) {
    if (hops[*source] == 0) continue;
    hops[*source] = 0;
    queue[tail++] = *source;
  }
  for (i64 level = 0; head < tail && level < limit; ++level) {
    for (i64 rest = tail; head < rest; ++head) {
      for (i64 u = queue[head], p = g.rowptr[u]; p < g.rowptr[u + 1]; ++p) {
        i32 v = g.col[p];
        if (hops[v] >= 0) continue;
        hops[v] = T(level + 1);
        queue[tail++] = v;
      }
    }
  }
  return head < tail ? CUT : COMPLETE;
}

// Hops along the rows of `g`, from the nearest source of each column, to [rows, columns];
// what is not reached keeps -1. Whether there were nodes left at the limit.
template <class T>
int hops(const Graph& g, const Sources& s, i64 limit, T* out, int threads) {
  i64 words = (s.columns + WORD - 1) / WORD;
  std::vector<Search> swept(std::size_t(words), TOO_DEEP);
  (void)threads;
#pragma omp parallel for schedule(dynamic) num_threads(threads) if (threads > 1)
  for (i64 word = 0; word < words; ++word) {
    i64 first = word * WORD, last = std::min(first + WORD, s.columns);
    if (last - first > SWEEP_COLUMNS) swept[word] = sweep_hops(g, s, first, last, limit, out);
  }
  i64 tasks = (s.columns + WALK_COLUMNS - 1) / WALK_COLUMNS;
  int cut = std::count(swept.begin(), swept.end(), CUT) > 0;
#pragma omp parallel for schedule(dynamic) num_threads(threads) reduction(|| : cut) \
    if (threads > 1)
  for (i64 task = 0; task < tasks; ++task) {
    i64 first = task * WALK_COLUMNS, last = std::min(first + WALK_COLUMNS, s.columns);
    if (swept[first / WORD] != TOO_DEEP) continue;
    std::vector<i32> queue(std::size_t(g.rows));
    std::vector<T> columns(std::size_t(g.rows * (last - first)));
    for (i64 k = first; k < last; ++k)
      if (walk_hops(g, s.node + s.ptr[k], s.node + s.ptr[k + 1], limit,
                    columns.data() + (k - first) * g.rows, queue.data()) == CUT)
        cut = 1;
    for (i64 v = 0; v < g.rows; ++v)
      for (i64 k = first; k < last; ++k)
        out[v * s.columns + k] = columns[(k - first) * g.rows + v];
  }
  return cut;
}

// ---------------------------------------------------------------- C interface

extern "C" {

#define EXPORT(S, NAME)                                                                  \
  void graphlab_spmm_##NAME(const Graph* g, i64 batch, i64 heads, i64 per_head,          \
                            const S* x, i64 xb, i64 xn, const Acc<S>* w, i64 wb, i64 we,      \
                            S* out, i64 ob, i64 on, int mean, int threads) {             \
    spmm(*g, batch, heads, per_head, x, xb, xn, w, wb, we, out, ob, on, mean, threads);  \
  }                                                                                      \
  void graphlab_spextreme_##NAME(const Graph* g, i64 batch, i64 heads, i64 per_head,     \
                                 const S* x, i64 xb, i64 xn, const Acc<S>* w, i64 wb, i64 we, \
                                 S* out, i32* arg, int largest, int threads) {           \
    spextreme(*g, batch, heads, per_head, x, xb, xn, w, wb, we, out, arg, largest,       \
              threads);                                                                  \
  }                                                                                      \
  void graphlab_spextreme_grad_x_##NAME(const Graph* g, i64 batch, i64 heads,            \
                                        i64 per_head, const S* grad, const i32* arg,     \
                                        const Acc<S>* w, i64 wb, i64 we, Acc<S>* out,         \
                                        i64 sources, int threads) {                      \
    spextreme_grad_x(*g, batch, heads, per_head, grad, arg, w, wb, we, out, sources,     \
                     threads);                                                           \
  }                                                                                      \
  void graphlab_spextreme_grad_w_##NAME(const Graph* g, i64 batch, i64 heads,            \
                                        i64 per_head, const S* grad, const i32* arg,     \
                                        const S* x, i64 xb, i64 xn, Acc<S>* out, i64 ob, \
                                        int threads) {                                   \
    spextreme_grad_w(*g, batch, heads, per_head, grad, arg, x, xb, xn, out, ob,          \
                     threads);                                                           \
  }                                                                                      \
  void graphlab_sddmm_##NAME(const Graph* g, i64 batch, i64 heads, i64 per_head,         \
                             const S* a, i64 ab, i64 an, const S* b, i64 bb, i64 bn,     \
                             Acc<S>* out, int threads) {                                 \
    sddmm(*g, batch, heads, per_head, a, ab, an, b, bb, bn, out, threads);               \
  }                                                                                      \
  void graphlab_edge_softmax_##NAME(const Graph* g, i64 batch, i64 heads,                \
                                    const S* logits, S* out, int threads) {              \
    edge_softmax(*g, batch, heads, logits, out, threads);                                \
  }                                                                                      \
  void graphlab_edge_softmax_grad_##NAME(const Graph* g, i64 batch, i64 heads,           \
                                         const S* alpha, const S* grad, S* out,          \
                                         int threads) {                                  \
    edge_softmax_grad(*g, batch, heads, alpha, grad, out, threads);                      \
  }                                                                                      \
  void graphlab_attend_##NAME(const Graph* g, const Attention<S>* t, S* out,             \
                              Acc<S>* lse, int threads) {                                \
    attend(*g, *t, out, lse, threads);                                                   \
  }                                                                                      \
  i64 graphlab_attend_pieces_##NAME(const Graph* g, const Attention<S>* t) {             \
    return num_pieces(*g, t->batch, 2 * t->heads * t->value_width + 8 * t->heads);       \
  }                                                                                      \
  void graphlab_attend_grad_##NAME(                                                      \
      const Graph* g, const Graph* transposed, const Attention<S>* t, const S* out,      \
      const Acc<S>* lse, const S* grad, i64 gb, i64 gn, Acc<S>* record, Acc<S>* ds,      \
      Acc<S>* partial, S* grad_query, S* grad_key, S* grad_value, int threads) {         \
    Operand<S> up{grad, gb, gn};                                                         \
    attend_record(*t, g->rows, out, lse, up, record, threads);                           \
    attend_grad(*transposed, *t, up, record, g->rows, grad_key, grad_value, ds, partial, \
                threads);                                                                \
    attend_grad_query(*g, *t, ds, grad_query, threads);                                  \
  }

EXPORT(float, f32)
EXPORT(double, f64)
EXPORT(f16, f16)
EXPORT(bf16, bf16)

#define EXPORT_HOPS(T, NAME)                                                             \
  int graphlab_hops_##NAME(const Graph* g, i64 columns, const i64* ptr, const i32* node, \
                           i64 limit, T* out, int threads) {                             \
    return hops(*g, Sources{columns, ptr, node}, limit, out, threads);                   \
  }

EXPORT_HOPS(std::int16_t, i16)
EXPORT_HOPS(i32, i32)
}
