"""How dates and numbers look, a package a language."""
