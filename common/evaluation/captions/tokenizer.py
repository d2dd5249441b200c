"""Words of a caption as the COCO caption evaluation counts them, without Java.

The evaluation of COCO (Chen et al. 2015, "Microsoft COCO Captions: Data Collection and Evaluation Server") splits
captions with Stanford's PTBTokenizer (CoreNLP 3.4.1) in lower case and drops punctuation. The rules below were found
by comparing outputs with that program; none of its code is used.
"""

from __future__ import annotations

import regex

from common.evaluation.captions.abbreviations import ANY_CASE, BEFORE_NUMBER, CAPITALISED

_A = "['’]"  # apostrophe
_L = r"\p{L}"
_N = r"[\p{L}\p{M}\d]"  # inside a word
_END = r"(?![\w]|['’-]\w)"
_WORD = rf"{_L}{_N}*(?:[.!?]{_L}{_N}*)*"  # "man.The" is one word
_PATH = r"(?:[/:?][^\s\"<>()]*[^\s\"<>().,!?;:'’])?"  # of an address; ends neither in punctuation nor in a bracket

# The first rule that matches wins. What none matches is dropped: blanks, punctuation, emoji.
_RULES = (
    r"</?[a-z][\w.:-]*(?:\s+[^<>]*)?/?>",  # markup
    rf"https?://[\w.-]*\w{_PATH}|(?:[a-z0-9-]+\.)+(?:com|net|org|edu){_PATH}(?![\w-])",
    rf"[\w.+-]*[a-z0-9]@[a-z0-9-]+(?:\.[a-z0-9-]+)*|@[a-z]\w*|\#{_L}+",  # mail, @name, #tag
    rf"[<>]?[:;=](?:['o-]?[()dp]|-?(?-i:O))(?!{_N})",  # smileys
    r"[a-z0-9]+(?:_[a-z0-9]+)+(?!_)|[\^<>=~-]_+[\^<>=~-]",
    # contractions
    rf"can(?=not{_END})|(?:gon|wan)(?=na{_END})|got(?=ta{_END})|(?:gim|lem)(?=me{_END})",
    rf"{_L}+(?=\s|$)",  # most words of a caption: spares them all other rules
    rf"'t(?=(?:is|was)(?!\w))|y{_A}(?=all|know)",
    rf"{_A}n{_A}|{_A}(?:em|cause|till?|n|\d0s)(?!{_N})|{_A}\d\d(?=\s|$)",
    rf"(?:ol|dunkin|somethin){_A}(?!{_N})|c{_A}mon(?!{_N})",
    rf"n['’`]t(?!{_L})|{_A}(?:s|m|d|ll|re|ve)(?!{_L})",
    rf"{_L}{_N}*?(?=n['’`]t(?!{_L}))",
    # apostrophes inside of names and words
    rf"(?:(?-i:[A-HJ-XZn])|[dol]){_A}{_L}{{2,}}(?:-{_N}+)*|s'mores?(?!{_N})",
    rf"(?-i:{_L}*[aeiou]{_A}[aeiouA-Z]{_L}*)",
    # "and/or", "24/7", in ASCII only; "red-headed", "1,000-foot", "U.S.-made"
    rf"[a-z0-9]+(?:-[a-z0-9]+)*(?:/[a-z0-9]+(?:-[a-z][a-z0-9]*)*){{1,2}}(?!{_L})",
    rf"[\p{{L}}\d][\p{{L}}\p{{M}}\d.,]*(?:-(?:(?:{_L}\.){{2,}}|{_N}+))+(?:\.(?=[,;:]))?",
    # full stops that are part of the token
    rf"(?:{_L}\.)+(?!{_L})|ph\.d\.|(?:\L<any_case>|(?-i:\L<capitalised>))\.(?!{_L})|\L<before_number>\.(?=\s*\d)",
    rf"{_WORD}\.(?=[,;:])",
    r"(?-i:[A-Z]+&[A-Z]+)|(?:us|[ac])\$",  # "AT&T", "US$"
    _WORD,
    # numbers
    r"\d+\s+\d+/\d+|(?:(?<!-)[-+])?\d*(?:(?<!\.\.)[.,:]\d+)+|\d[a-z0-9]*|(?<!-)[-+]\d+",
    # signs that count as words
    r"[?!]{2,}|-{5,}|\*+|_+|#+|&[lg]t;",
    r"[()\[\]{}$€£¢½¼¾⅓⅔%@&+=<>/\\|~^¥₤¡¿§¶·•´²³†‡]|(?![\U00010000-\U0010FFFF])[\p{So}\p{Sm}]",
)
_TOKEN = regex.compile(
    "|".join(_RULES),
    regex.IGNORECASE,
    any_case=ANY_CASE,
    capitalised=CAPITALISED,
    before_number=BEFORE_NUMBER,
)
_ENTITIES = {"&amp;": "&", "&quot;": '"', "&apos;": "'"}
_SPELLING = {
    **{"(": "-lrb-", ")": "-rrb-", "[": "-lsb-", "]": "-rsb-", "{": "-lcb-", "}": "-rcb-"},
    **{"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "€": "$", "£": "#", "¢": "cents"},
    **{"&lt;": "<", "&gt;": ">", " ": "\xa0"},
}
_RESPELT = regex.compile("|".join(map(regex.escape, _SPELLING)))
_CURLY_CONTRACTION = regex.compile(r"n?’(?:t|s|m|d|ll|re|ve)")  # elsewhere the curly apostrophe stays


def ptb_tokenize(text: str) -> list[str]:
    """Words of `text` in lower case, as pycocoevalcap's ``PTBTokenizer`` gives them.

    Contractions are split ("ca", "n't"; "dog", "'s"), hyphenated words, numbers and abbreviations are whole, and
    punctuation is dropped. Brackets stay, as "-lrb-": the list of punctuation there has them in capitals, the tokens
    are in lower case.

    Known differences, none of which occurs in Flickr8k: telephone numbers in brackets; HTML entities with numbers or
    accents; and a single letter with a full stop that ends a sentence ("vitamin C. The"), where the Java program looks
    at the following word, even that of the next caption, and here the full stop stays.
    """
    for entity, sign in _ENTITIES.items():
        text = text.replace(entity, sign)
    return [_spelling(token.lower()) for token in _TOKEN.findall(text)]


def _spelling(token: str) -> str:
    if _CURLY_CONTRACTION.fullmatch(token):
        return token.replace("’", "'")
    return _RESPELT.sub(lambda sign: _SPELLING[sign[0]], token)
