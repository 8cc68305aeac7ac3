"""One module for each kind of database that a bundle can be loaded into; `base` says what each of them does."""
