"""Table 4: captions, questions and retrieval with pictures as a stream of a language model."""
