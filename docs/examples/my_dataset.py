"""A new dataset: a function that returns texts and labels. Put such a file into common/data/ or import it."""

from common.data import Corpus, DataConfig, TextSplit, register_dataset


@register_dataset("exclaimed")
def load_exclaimed(config: DataConfig) -> Corpus:
    """Does a sentence end in an exclamation mark?"""
    words = ("bread", "rain", "music", "winter", "a train", "the sea")
    train = [(f"{word} is {kind}{mark}", int(mark == "!")) for word in words for kind in "abc" for mark in ".!"]
    test = [(f"{word} was here{mark}", int(mark == "!")) for word in words for mark in ".!"]
    splits = {
        name: TextSplit(tuple(text for text, _ in rows), tuple(label for _, label in rows))
        for name, rows in (("train", train), ("test", test))  # no validation: it is held out of train by config.seed
    }
    return Corpus("made up in docs/examples", splits, label_names=("said", "exclaimed"))
