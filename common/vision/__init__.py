"""Pictures to patch tokens: vision encoders of timm, open_clip and transformers behind one interface."""
