"""The model of step 1: a sequence classifier with integrated streams."""

from __future__ import annotations

from common.models.multi_stream import MultiStreamForSequenceClassification
from common.streams.processor import StreamProcessor
from step1_sentiment.config import SentimentConfig


def build_model(
    config: SentimentConfig, processor: StreamProcessor, num_labels: int
) -> MultiStreamForSequenceClassification:
    """Backbone, secondary streams and integration rule as `config` says."""
    return MultiStreamForSequenceClassification.from_backbone(
        config.backbone,
        integration=config.integration,
        streams=config.streams,
        vocabularies=processor.stream_vocabularies(),
        use_meaning=config.use_meaning,
        dropout=config.dropout,
        pooling=config.pooling,
        num_labels=num_labels,
    )
