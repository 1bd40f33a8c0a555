"""Conditions on one column, as SQL and in Python: rows that file skipping must not lose."""
from decimal import Decimal

import model


def order(column, v):
    """A sort key; NaN is the greatest number, strings order by their bytes."""
    if column.type in ("float", "double"):
        f = model.as_float(v)
        return (1, 0.0) if f != f else (0, f)
    if column.is_decimal:
        return Decimal(v)
    return v.encode() if column.type == "string" else v


class Predicate:
    def __init__(self, column, op, *values):
        self.column, self.op, self.values = column, op, values

    def __str__(self):
        return "%s %s %s" % (self.column.name, self.op, ", ".join(map(repr, self.values)))

    def keeps(self, v):
        if self.op == "IS NULL":
            return v is None
        if self.op == "IS NOT NULL":
            return v is not None
        if v is None:
            return False
        v, bound = order(self.column, v), [order(self.column, b) for b in self.values]
        return {
            "=": lambda: v == bound[0],
            "<=": lambda: v <= bound[0],
            ">": lambda: v > bound[0],
            "BETWEEN": lambda: bound[0] <= v <= bound[1],
            "IN": lambda: v in bound,
        }[self.op]()

    def literal(self, engine, v):
        c = self.column
        if c.type == "binary":
            return engine.select_types["binary"] % v.hex()
        if c.type in ("timestamp", "timestamp_ntz"):
            return engine.select_types[c.type] % model.datetime_text(v, " ")
        if c.type == "string" and "string" in engine.select_types:
            return engine.select_types["string"] % v.encode().hex()
        quoted = "'%s'" % model.text(c, v).replace("'", "''")
        if c.type == "string":
            return quoted
        return "CAST(%s AS %s)" % (quoted, c.sql_type)

    def sql(self, engine, quote):
        name = quote + self.column.name + quote
        literals = [self.literal(engine, v) for v in self.values]
        if self.op == "BETWEEN":
            return "%s BETWEEN %s AND %s" % (name, *literals)
        if self.op == "IN":
            return "%s IN (%s)" % (name, ", ".join(literals))
        return "%s %s %s" % (name, self.op, literals[0] if literals else "")


def usable(column, v):
    """A value that every engine takes as a literal and compares alike."""
    if v is None:
        return False
    if column.type in ("float", "double"):
        return v != "NaN" and model.as_float(v) != 0
    return column.type != "string" or ("\0" not in v and len(v) < 1000)


def some(rng, columns, rows):
    """A few conditions for each column, with bounds from the rows."""
    out = []
    for i, c in enumerate(columns):
        values = sorted({r[i] for r in rows if usable(c, r[i])}, key=lambda v: order(c, v))
        out += [Predicate(c, "IS NULL"), Predicate(c, "IS NOT NULL")]
        if not values:
            continue
        low, high = sorted((rng.choice(values), rng.choice(values)), key=lambda v: order(c, v))
        out += [
            Predicate(c, "=", rng.choice(values)),
            Predicate(c, "=", values[-1]),
            Predicate(c, "<=", low),
            Predicate(c, ">", high),
            Predicate(c, "BETWEEN", low, high),
            Predicate(c, "IN", values[0], high),
        ]
    return out
