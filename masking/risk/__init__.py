"""How safe and how useful a table of people is: risks of re-identification, diversity of sensitive columns, utility.

All follows from the equivalence classes over the quasi-identifiers; a report holds counts and shares, and none of the table's
values.
"""

from masking.risk.assessment import Assessment, ColumnRisk, Question, TableRisk, assess, binned
from masking.risk.coverage import Hierarchy, read_hierarchies
from masking.risk.diversity import Diversity
from masking.risk.reidentification import AttackerRisk
from masking.risk.utility import ColumnUtility, Utility

__all__ = [
    "Assessment",
    "AttackerRisk",
    "ColumnRisk",
    "ColumnUtility",
    "Diversity",
    "Hierarchy",
    "Question",
    "TableRisk",
    "Utility",
    "assess",
    "binned",
    "read_hierarchies",
]
