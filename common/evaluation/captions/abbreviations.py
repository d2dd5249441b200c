"""Abbreviations of English that keep their full stop in :func:`ptb_tokenize`: "Mr." is one token, "dog." are two."""

_ANY_CASE = """
    adj adm adv al ala alex apr ariz assn assoc asst atty aug ave bhd bldg blvd brig bros calif capt cf cie cmdr co col
    colo comdr conn corp cos cpl ct dec dept det dr drs elec esq est etc ext feb fla fri ft ga gen gov hon inc ind insp
    intl jan jos jr jul jun kans ky lieut lt ltd maj mar messrs mfg mich minn mlle mme mo mon mont mr mrs ms msgr mt
    natl neb nev nov oct okla penn pfc ph plc pres prof pte pty pvt rd rep reps rev rt sen sens sep sept sgt spc sq sr
    st ste supt sys tel tenn thu thurs treas tue tues univ va vs vt wed wis wisc wm wyo
"""
ANY_CASE = tuple(_ANY_CASE.split())
CAPITALISED = ("Ark", "Az", "Del", "Ill", "Kan", "La", "Mass", "Md", "MD", "Miss", "Ore", "Pa", "Tex", "Wash")
"""The same as words in small letters would end sentences."""
BEFORE_NUMBER = ("art", "ca", "fig", "figs", "no", "nos", "op", "pp", "prop")
"""Only with a number behind: "No. 5", but "he said no." """
