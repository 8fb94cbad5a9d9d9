"""The bundled sample edition: real papers (titles, authors, ids, upvotes), abstracts written for the sample."""

from pathlib import Path

PATH = Path(__file__).with_name("edition.json")
