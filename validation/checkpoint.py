"""One checkpoint run of Great Expectations over the facts of a generation, and its Data Docs.

Importing this module imports Great Expectations, which takes seconds.
"""

import logging
import os
from collections.abc import Iterable
from pathlib import Path

import great_expectations as gx
from great_expectations.core import ExpectationValidationResult
from great_expectations.data_context import EphemeralDataContext
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)

from validation import suites
from validation.limits import SHOWN, Limits


def run(facts: Path, tables: Iterable[str], docs: Path, limits: Limits) -> dict[str, list[ExpectationValidationResult]]:
    """Judge ``<facts>/<table>.parquet`` by the suite of each table; the results by table.

    A checkpoint hands one and the same dataframe to all its suites, so each reads its facts from a file: one file
    each, because of several files only the last would be judged.
    """
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    context = _context(docs)
    source = context.data_sources.add_pandas("generation")
    definitions = []
    for table, expectations in suites.by_table(limits).items():
        if table in tables:
            asset = source.add_parquet_asset(table, path=facts / f"{table}.parquet")
            assert asset is not None  # it never is; its type stub says it may be
            suite = context.suites.add(gx.ExpectationSuite(table, expectations=expectations))
            definition = gx.ValidationDefinition(name=table, data=asset.add_batch_definition(table), suite=suite)
            definitions.append(context.validation_definitions.add(definition))
    checkpoint = gx.Checkpoint(
        name="gate",
        validation_definitions=definitions,
        result_format={"result_format": "SUMMARY", "partial_unexpected_count": SHOWN},
    )
    judged = context.checkpoints.add(checkpoint).run()
    _write_docs(context, docs, facts)
    return {result.suite_name: result.results for result in judged.run_results.values()}


def _context(docs: Path) -> EphemeralDataContext:
    config = DataContextConfig(
        # the default would make a folder for its pages in the system's temporary one
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False),
        data_docs_sites={
            "generation": {
                "class_name": "SiteBuilder",
                "show_how_to_buttons": False,
                "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs.resolve())},
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            }
        },
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _write_docs(context: EphemeralDataContext, docs: Path, facts: Path) -> None:
    context.build_data_docs()
    for page in docs.rglob("*.html"):
        # the pages are published with the dataset, where the path of this machine has no place
        page.write_text(page.read_text("utf-8").replace(f"{facts}{os.sep}", ""), "utf-8")
