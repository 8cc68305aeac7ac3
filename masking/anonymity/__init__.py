"""k-anonymity, l-diversity and t-closeness: a table in which nobody can be told from fewer than k.

All work is done on the table of distinct tuples of quasi-identifiers (`distinct`). Local recoding (`local_recoding`) goes from the
rows up (`peeling`, `clustering`) and from the whole table down (`splitting`); global recoding (`full_domain`) searches the lattice of
generalisations. What is written is checked by code of its own (`checker`).
"""

from masking.anonymity.anonymize import Anonymized, Specification, Summary, anonymize, classes_apart
from masking.anonymity.checker import check
from masking.anonymity.distinct import QuasiIdentifier
from masking.anonymity.flat_files import anonymize_file
from masking.anonymity.models import (
    DistinctDiversity,
    EntropyDiversity,
    EqualCloseness,
    KAnonymity,
    Model,
    OrderedCloseness,
    RecursiveDiversity,
)

__all__ = [
    "Anonymized",
    "DistinctDiversity",
    "EntropyDiversity",
    "EqualCloseness",
    "KAnonymity",
    "Model",
    "OrderedCloseness",
    "QuasiIdentifier",
    "RecursiveDiversity",
    "Specification",
    "Summary",
    "anonymize",
    "anonymize_file",
    "check",
    "classes_apart",
]
