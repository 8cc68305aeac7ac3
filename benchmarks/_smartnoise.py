"""Run by the Python of an environment that has smartnoise-sql, which pins NumPy 1; nothing of ours is imported.

    _smartnoise.py TASK.json

The task has the CSV `file`, the `metadata` of smartnoise, `epsilon` and `delta`. Each line of the input is a query as a JSON text, and is
answered by a line with a JSON object: the rows, the seconds and the CPU seconds that they took, and the epsilon and delta that the query
costs by smartnoise's own account.
"""

from __future__ import annotations

import json
import sys
import time
import warnings


def main(path: str) -> None:
    warnings.simplefilter("ignore")
    import pandas as pd
    from snsql import Privacy, from_df

    with open(path, encoding="utf-8") as file:
        task = json.load(file)
    data = pd.read_csv(task["file"])
    for line in sys.stdin:
        query = json.loads(line)
        privacy = Privacy(epsilon=task["epsilon"], delta=task["delta"])
        reader = from_df(data, privacy=privacy, metadata=task["metadata"])
        epsilon, delta = reader.get_privacy_cost(query)
        started, busy = time.perf_counter(), time.process_time()
        found = reader.execute(query)
        seconds, cpu = time.perf_counter() - started, time.process_time() - busy
        rows = [[v.item() if hasattr(v, "item") else v for v in row] for row in list(found)[1:]]
        print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu, "epsilon": epsilon, "delta": delta}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
