"""The catalog in words."""

from __future__ import annotations

import textwrap

import pandas as pd

from irnet_ray.data.catalog import card, catalog
from irnet_ray.data.load import is_fetched
from irnet_ray.report.provenance import source_of

_WIDTH = 100


def catalog_table() -> pd.DataFrame:
    """One row a property of each dataset."""
    return pd.DataFrame(
        [
            {
                "dataset": name,
                "property": property_name,
                "unit": description.unit,
                "rows": description.rows,
                "structures": "yes" if dataset.has_structures else "no",
                "published_split": "yes" if dataset.published_split else "no",
                "fetched": "yes" if is_fetched(name) else "no",
                "title": dataset.title,
            }
            for name, dataset in catalog().items()
            for property_name, description in dataset.properties.items()
        ]
    )


def card_text(name: str) -> str:
    """A dataset's card.

    Raises:
        ConfigurationError: There is no such dataset.
    """
    dataset = card(name)
    sections = {
        "description": dataset.description,
        "source": source_of(dataset),
        "licence": dataset.licence,
        "citation": dataset.citation,
        "notes": dataset.notes,
        "rows": f"{dataset.rows:,}",
        "fetched": "yes" if is_fetched(name) else f"no; 'irnet-ray data fetch {name}'",
    }
    lines = [f"{name}: {dataset.title}", ""]
    lines += [
        f"  {property_name} ({description.unit or 'no unit'}): {description.description}; {description.rows:,} rows"
        for property_name, description in dataset.properties.items()
    ]
    for heading, text in sections.items():
        if text:
            wrapped = textwrap.wrap(" ".join(text.split()), _WIDTH - 13)
            lines += ["", *(f"{heading if not number else '':<13}{line}" for number, line in enumerate(wrapped))]
    return "\n".join(lines)
