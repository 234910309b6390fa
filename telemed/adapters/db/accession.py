"""A study's accession number: one and the same, whoever asks and whichever way."""

from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, func, select, union_all

from telemed.adapters.db import tables as t
from telemed.adapters.db.criteria import matches
from telemed.domain.matching import OneOf


def accession_number() -> ColumnElement[Any]:
    """As the order has it, where the study found its order; else as the machine wrote it."""
    of_order = (
        select(func.nullif(t.exam_order.c.accession_number, ""))
        .join(t.procedure, t.procedure.c.order_id == t.exam_order.c.id)
        .where(t.procedure.c.id == t.study.c.procedure_id)
        .correlate(t.study)
        .scalar_subquery()
    )
    return func.coalesce(of_order, t.study.c.accession_number)


def studies_numbered(criterion: OneOf) -> CompoundSelect[Any]:
    """Studies that have the number from either side: the engine goes there by index, and decides on few."""
    study, order, procedure = t.study.alias(), t.exam_order.alias(), t.procedure.alias()
    written = select(study.c.id).where(matches(study.c.accession_number, criterion))
    ordered = (
        select(study.c.id)
        .join(procedure, procedure.c.id == study.c.procedure_id)
        .join(order, order.c.id == procedure.c.order_id)
        .where(matches(order.c.accession_number, criterion))
    )
    return union_all(written, ordered)
