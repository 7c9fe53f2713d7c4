"""Sources of the compiled kernels, and what compiles them."""
