"""LoRA experts for language models, gated from outside, and reward models on them.

Runs on torch alone; what reads, trains or exports language models needs the extra
``lm`` and says so.
"""

from graphlab.lora._learned_router import Routing
from graphlab.lora.backbones import (
    load_backbone,
    load_tokenizer,
    phi3_mini_config,
    phi4_mini_config,
    save_backbone,
    tiny_llama,
    tiny_phi3,
    tiny_phi4,
)
from graphlab.lora.collator import PreferenceCollator
from graphlab.lora.expert_linear import LoRAExpertLinear
from graphlab.lora.gate_cache import GateCache
from graphlab.lora.gate_context import GateContext
from graphlab.lora.inject import expert_layers, inject_experts
from graphlab.lora.modality_router import ModalityRouter
from graphlab.lora.peft_adapter import PeftAdapter, to_peft, to_peft_adapters
from graphlab.lora.peft_experts import load_peft_experts
from graphlab.lora.prefix import PrefixCache, cache_prefix
from graphlab.lora.reward_heads import BilinearHead, ConcatHead, LinearHead
from graphlab.lora.reward_model import RewardModel
from graphlab.lora.routing import expert_gates, load_balancing_loss
from graphlab.lora.smollm2 import has_smollm2, load_smollm2
from graphlab.lora.table_router import TableRouter
from graphlab.lora.training import reward_trainer, score_pairs
from graphlab.lora.user_router import UserRouter
from graphlab.lora.user_vectors import UserVectors

__all__ = [
    "BilinearHead",
    "ConcatHead",
    "GateCache",
    "GateContext",
    "LinearHead",
    "LoRAExpertLinear",
    "ModalityRouter",
    "PeftAdapter",
    "PreferenceCollator",
    "PrefixCache",
    "RewardModel",
    "Routing",
    "TableRouter",
    "UserRouter",
    "UserVectors",
    "cache_prefix",
    "expert_gates",
    "expert_layers",
    "has_smollm2",
    "inject_experts",
    "load_backbone",
    "load_balancing_loss",
    "load_peft_experts",
    "load_smollm2",
    "load_tokenizer",
    "phi3_mini_config",
    "phi4_mini_config",
    "reward_trainer",
    "save_backbone",
    "score_pairs",
    "tiny_llama",
    "tiny_phi3",
    "tiny_phi4",
    "to_peft",
    "to_peft_adapters",
]
