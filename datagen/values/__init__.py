"""Generators of values by topic: choices, people, companies, addresses, internet, phones, finance, products, places, texts."""
