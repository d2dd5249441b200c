"""``python -m paper.numbers``: every number of ``results/**/table.csv`` as a LaTeX macro, with the row it comes from.

Keys, as ``\\result{key}`` takes them:

- ``table1_sentiment/sst5, minilm/dm/accuracy_mean``: table, section, row, column, written as in the table. Where a row
  is compared with a baseline there are also ``interval`` (difference and 95 % interval), ``outcome``, ``said`` (it, as
  the end of a sentence) and, against each control (that of the row's own rule where the section has it, else DM's),
  ``minus_shuffled`` (difference of the two differences).
- ``table1_sentiment/sst5, minilm/section/verdict``: of a section: ``rows``, ``seeds``, ``verdict``, :data:`OUTCOMES`,
  ``best`` (names of the best rows) and ``level`` (of those not significantly worse).
- ``table1_sentiment/table/verdict``: of a table: the verdicts of all sections.
- ``table4_vision_language/…/dm/today_interval``: the same against the projector; ``table3_gpt/…/dm_b/told_interval``:
  against the row's own rule on shuffled streams.
- ``figure_vision_language/<setting>/dm/gain_swapped/colour``: setting as the figure's files are named, row, measure,
  group; ``agreement/swapped`` in place of the last two: rank correlation of the picture's contribution with the loss.
- ``table9_importance/sst5, minilm: dm/phonetic/alpha_interval``, ``retrained_interval``, ``zero_interval``,
  ``contribution_interval``: section and stream; and
  ``table9_importance/all/secondary/judged``: in how many rows something is known, and ``all``, ``some`` or ``none`` of
  it shows that the stream counts.
- ``study/studied/better``: of all tables in :data:`KINDS` but the ablation and the shares of the data, by group of rows
  (those on subsets of the streams are in none); ``better_by_table`` and ``better_overall``: after a correction over a
  whole table, or over all; and ``study/largest``.

``\\ifresult{key}{then}{else}`` takes the flags: a row's outcomes (also ``today_better`` and so on), ``few`` (seeds),
``ahead_of_controls``, ``beats_shuffled`` (of table 6), ``beats_equal_alpha``, ``alpha_largest``,
``agrees/swapped``, and ``any_better`` and ``all_better`` of a group;
``\\ifresults{table}{then}{else}`` asks whether there is such a table.
"""
