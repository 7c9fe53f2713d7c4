"""LoRA experts for language models, gated from outside, and reward models on them.

Runs on torch alone; what reads, trains or exports language models needs the extra
``lm`` and says so.
"""

from graphlab.lora._learned_router import Routing
from graphlab.lora.backbones import (
    phi3_mini_config,
    phi4_mini_config,
    tiny_llama,
    tiny_phi3,
)
from graphlab.lora.expert_linear import LoRAExpertLinear
from graphlab.lora.gate_context import GateContext
from graphlab.lora.inject import expert_layers, inject_experts
from graphlab.lora.modality_router import ModalityRouter
from graphlab.lora.peft_export import PeftAdapter, expert_adapters, merged_adapter
from graphlab.lora.routing import expert_gates, load_balancing_loss
from graphlab.lora.table_router import TableRouter
from graphlab.lora.user_router import UserRouter

__all__ = [
    "GateContext",
    "LoRAExpertLinear",
    "ModalityRouter",
    "PeftAdapter",
    "Routing",
    "TableRouter",
    "UserRouter",
    "expert_adapters",
    "expert_gates",
    "expert_layers",
    "inject_experts",
    "load_balancing_loss",
    "merged_adapter",
    "phi3_mini_config",
    "phi4_mini_config",
    "tiny_llama",
    "tiny_phi3",
]
