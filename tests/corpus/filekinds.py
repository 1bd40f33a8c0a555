"""The kinds of a Parquet file's columns, from the schema that cdc-snapshot --describe prints.

Written from parquet-format's LogicalTypes.md, not from the program, so that it and the program
must agree on which groups are lists and maps. An array says as its last argument whether it is
never null.
"""
TEXT = ("STRING", "UTF8", "ENUM", "JSON")
PHYSICAL = {"BOOLEAN": "boolean", "INT32": "integer", "INT64": "long", "INT96": "timestamp",
            "FLOAT": "float", "DOUBLE": "double", "BYTE_ARRAY": "binary",
            "FIXED_LEN_BYTE_ARRAY": "binary"}


def _integer(bits, signed):
    if signed:
        return ({8: "byte", 16: "short", 32: "integer", 64: "long"}[bits],)
    return ("decimal", 20, 0) if bits == 64 else ({8: "short", 16: "integer", 32: "long"}[bits],)


def _leaf(node):
    known = node["logicalType"] not in (None, "OTHER")
    name = node["logicalType"] if known else node["convertedType"]
    if name in TEXT:
        return ("string",)
    if name == "DECIMAL":
        small = node["precision"] <= 38
        return ("decimal" if small else "big_decimal", node["precision"], node["scale"])
    if name == "INTEGER":
        return _integer(node["bitWidth"], node["isSigned"])
    if name and name.startswith(("INT_", "UINT_")):
        return _integer(int(name.split("_")[1]), name[0] == "I")
    if name == "TIMESTAMP":
        return ("timestamp" + ("" if node["isAdjustedToUTC"] else "_ntz")
                + ("_ns" if node["unit"] == "NANOS" else ""),)
    if name in ("TIMESTAMP_MILLIS", "TIMESTAMP_MICROS"):
        return ("timestamp",)
    if name in ("TIME", "TIME_MILLIS", "TIME_MICROS"):
        return ("time",)
    return ({"DATE": "date", "UUID": "uuid", "FLOAT16": "float", "INTERVAL": "interval",
             "UNKNOWN": "void"}.get(name) or PHYSICAL[node["physicalType"]],)


def _annotated(node, *names):
    return node["logicalType"] in names or node["convertedType"] in names


def _list_element(node, repeated):
    """The backward compatibility rules of LIST."""
    inner = repeated.get("children")
    if inner is None:
        return _leaf(repeated)
    if len(inner) > 1 or inner[0]["repetition"] == "REPEATED" or (
            repeated["name"] in ("array", node["name"] + "_tuple")):
        return _group(repeated)
    return _field(inner[0])


def _group(node):
    """A node with its repetition left aside."""
    children = node.get("children")
    if children is None:
        return _leaf(node)
    only = children[0] if len(children) == 1 else None
    repeated = only if only and only["repetition"] == "REPEATED" else None
    if _annotated(node, "LIST") and repeated:
        return "array", _list_element(node, repeated), node["repetition"] == "REQUIRED"
    if _annotated(node, "MAP", "MAP_KEY_VALUE") and repeated and repeated.get("children"):
        parts = repeated["children"]
        if len(parts) <= 2:
            return "map", _field(parts[0]), _field(parts[1]) if len(parts) == 2 else ("void",)
    if _annotated(node, "VARIANT"):
        return ("variant",)
    return "struct", tuple((c["name"], _field(c)) for c in children)


def _field(node):
    kind = _group(node)
    return ("array", kind, True) if node["repetition"] == "REPEATED" else kind


def file_kind(nodes):
    return "struct", tuple((n["name"], _field(n)) for n in nodes)
