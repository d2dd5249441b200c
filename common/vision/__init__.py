"""Pictures to patch tokens: vision encoders of timm, open_clip and transformers behind one interface."""

from common.vision.encoder import VisionConfig, VisionEncoder, Visual, build_encoder

__all__ = ["VisionConfig", "VisionEncoder", "Visual", "build_encoder"]
