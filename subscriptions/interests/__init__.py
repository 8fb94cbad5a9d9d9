"""The interest language: what a reader types in one line, read and put in one form. Pure: no Django.

words.py          how text becomes terms: case, accents, hyphens and inflection do not matter
language.py       the parts a line is made of, and their one printed form
parser.py         a line in, its parts out, or an error that points at the place
abbreviations.py  LLM = large language model, from the table beside it
"""
