"""The proof that nothing leaked: every personal value of the source is looked for in all of the output.

`Scanner` searches batches as they are made, `scan` a finished output; both end in a `ScanReport`, which tells leaks from chance.
`certificate` writes down all that was done, for those who rely on the bundle.
"""

from masking.proof.certificate import certificate
from masking.proof.columns import Examined, column_entries, examined, key_columns
from masking.proof.copies import Copies, CopiesFound, copies, textual_or_whole
from masking.proof.examination import Examination, examination
from masking.proof.learning import TableLearner, learn_pools, learn_source
from masking.proof.report import ScanReport
from masking.proof.scanner import Scanner
from masking.proof.scanning import scan
from masking.proof.unchanged import Compared, Unchanged, compare, is_compared
from masking.proof.words import common_words

__all__ = [
    "Compared",
    "Copies",
    "CopiesFound",
    "Examination",
    "Examined",
    "ScanReport",
    "Scanner",
    "TableLearner",
    "Unchanged",
    "certificate",
    "column_entries",
    "common_words",
    "compare",
    "copies",
    "examination",
    "examined",
    "is_compared",
    "key_columns",
    "learn_pools",
    "learn_source",
    "scan",
    "textual_or_whole",
]
