"""One node of a graph for the tests of bounds: facts from shapes."""

from burn_verify.judge.facts import NodeFacts


def node_facts(op_type, *shapes, output=(), dtype="float32", since_version=13, values=None, **attributes):
    """Return the facts of a node: shapes of its inputs, None for an omitted one, and of its output."""
    return NodeFacts(
        op_type=op_type,
        since_version=since_version,
        attributes=attributes,
        input_shapes=shapes,
        output_shapes=(output,),
        input_dtypes=tuple(None if shape is None else dtype for shape in shapes),
        input_values=values or {},
    )
