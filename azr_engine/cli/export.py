"""`azr-engine export`: a run's policy, or any model that can be loaded, as an ordinary Transformers folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def export(
    source: Annotated[str, typer.Argument(help="A run directory, or a model (azr-tiny, folder, GGUF file, hub id).")],
    folder: Annotated[Path, typer.Argument(help="Folder to make; it must not exist.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Write the weights of a run's last checkpoint, adapter merged, for Transformers, vLLM and `--model`.

    Example: `azr-engine export runs/first exported`
    """
    result = write(source, folder)
    if as_json:
        print(json.dumps(result))
    else:
        step = f", step {result['step']}" if result["step"] is not None else ""
        print(f"{result['folder']}: {result['parameters']} parameters in {result['precision']}{step}")


def write(source: str, folder: Path) -> dict[str, Any]:
    """Export, whole or not at all, and say what was written.

    Raises:
        UserError: the folder exists or cannot be written, or there is no such run or model.
    """
    import shutil

    from azr_engine.engine.durable import TEMPORARY, storage_errors, sync, sync_tree
    from azr_engine.engine.errors import UserError
    from azr_engine.engine.policies.lora import without_adapter
    from azr_engine.engine.trained import find_checkpoint, load_trained

    folder = folder.resolve()
    if folder.exists():
        raise UserError(f"{folder} exists; name a folder that does not")
    checkpoint = find_checkpoint(source)
    loaded = load_trained(source)
    model = without_adapter(loaded.model)
    temporary = folder.with_name(f"{TEMPORARY}{folder.name}")
    with storage_errors(folder):
        shutil.rmtree(temporary, ignore_errors=True)
        try:
            temporary.mkdir(parents=True)
        except OSError as error:
            raise UserError(f"cannot make the folder {folder}: {error.strerror}") from error
        try:
            model.save_pretrained(temporary)
            loaded.tokenizer.save_pretrained(temporary)
            (temporary / "azr.json").write_text(json.dumps(dict(loaded.settings)), encoding="utf-8")
            sync_tree(temporary)
            temporary.rename(folder)
        except BaseException:
            shutil.rmtree(temporary, ignore_errors=True)
            raise
        sync(folder.parent)
    return {
        "folder": str(folder),
        "step": checkpoint.step if checkpoint else None,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "precision": str(model.dtype).removeprefix("torch."),
    }
