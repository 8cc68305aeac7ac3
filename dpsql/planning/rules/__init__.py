"""The rules of planning, one a file, applied in the order of `dpsql.planning.plans.RULES`."""
