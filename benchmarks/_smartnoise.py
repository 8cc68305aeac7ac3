"""Run by the Python of an environment that has smartnoise-sql, which pins NumPy 1; nothing of ours is imported.

    _smartnoise.py TASK.json

The task has the CSV `file`, the `metadata` of smartnoise, `queries`, `epsilon`, `delta` and `runs`. One JSON object is printed: for each
query its rows in each run, the seconds of each, and the epsilon and delta that it costs by smartnoise's own account.
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
    answers = []
    for query in task["queries"]:
        rows, seconds, cost = [], [], (0.0, 0.0)
        for _ in range(task["runs"]):
            privacy = Privacy(epsilon=task["epsilon"], delta=task["delta"])
            reader = from_df(data, privacy=privacy, metadata=task["metadata"])
            cost = reader.get_privacy_cost(query)
            started = time.perf_counter()
            found = reader.execute(query)
            seconds.append(time.perf_counter() - started)
            rows.append([[v.item() if hasattr(v, "item") else v for v in row] for row in list(found)[1:]])
        answers.append({"rows": rows, "seconds": seconds, "epsilon": cost[0], "delta": cost[1]})
    print(json.dumps({"answers": answers}))


if __name__ == "__main__":
    main(sys.argv[1])
