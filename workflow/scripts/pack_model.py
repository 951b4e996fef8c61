"""Pack a base model with its guides, the components of its reference studies and a card into one file."""

import tempfile
from pathlib import Path

import safetensors.torch
from scarceseq import files, runtime
from scarceseq.guide.card import make_card, own_organism
from scarceseq.guide.narrow import narrow
from scarceseq.guide.packing import pack
from scarceseq.guide.reference import reference_components
from scarceseq.guide.sketches import training_sketches
from scarceseq.pretrain.model import load_base
from scarceseq.pretrain.samples import read_matrix
from scarceseq.seeds import derive

runtime.start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
base = load_base(source.model, source.information)
matrix = read_matrix(source.training, source.samples, source.genes, source.splits, base.information["split"])
rows = matrix.rows(["pretrain", "scout"])
seed = derive(params.seed, "reference components")
components = reference_components(base, matrix.expression, rows, params.components, seed)
samples, genes = files.read_table(source.samples), files.read_table(source.genes)
mean_tpm = base.information["vocabulary"]["mean_tpm"]
sketches, sketched = training_sketches(matrix.expression, rows, samples, base.gene_ids, mean_tpm)
card = make_card(
    name=".".join(snakemake.wildcards),
    information=files.read_json(source.information),
    organism=own_organism(samples, genes),
    splits=files.read_table(source.splits),
    samples=samples,
    evaluation=files.read_table(source.evaluation),
    accuracy=files.read_table(source.accuracy),
    scheme=params.scheme,
    trained=Path(source.model).stat().st_mtime,
) | {"sketched_studies": sketched, "sketched_samples": len(rows)}
if source.about:
    card["about"] = files.read_json(source.about)
with tempfile.TemporaryDirectory(dir=Path(snakemake.output[0]).parent) as folder:
    made = {name: Path(folder) / name for name in ("components.safetensors", "card.json", "sketches.safetensors")}
    safetensors.torch.save_file(sketches, made["sketches.safetensors"])
    safetensors.torch.save_file(components, made["components.safetensors"])
    files.write_json(card, made["card.json"])
    tensors = {"model.safetensors": source.model, "components.safetensors": made["components.safetensors"]}
    tensors |= {Path(path).name: path for path in source.guides}
    if params.bits == 16:
        for name, path in tensors.items():
            tensors[name] = Path(folder) / f"narrow.{name}"
            narrow(path, tensors[name])
    texts = {Path(path).name: path for path in source.summaries} | {"model.json": source.information}
    pack(made | texts | tensors, snakemake.output[0])
