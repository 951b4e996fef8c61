"""A small corpus with tissues and study effects, on disk as the corpus stage writes it."""

import numpy as np
import pandas as pd
from scarceseq.pretrain.settings import PretrainSettings

ROLES = ["pretrain"] * 6 + ["scout"] * 3 + ["validation"] * 2 + ["test"] * 2
GENES = 40


def write_corpus(folder, expression, studies):
    """Write the four files of the corpus stage and return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / name for name in ("training.npy", "samples.parquet", "genes.parquet", "splits.tsv")}
    np.save(paths["training.npy"], expression.astype(np.float16))
    samples = pd.DataFrame({"sample": [f"sample{row}" for row in range(len(studies))], "study": studies})
    samples = samples.assign(organism="mouse", unit="base_coverage", average_mapped_length=100.0, rate_sum=2e5)
    samples.to_parquet(paths["samples.parquet"], index=False)
    names = [f"gene{column}" for column in range(expression.shape[1])]
    genes = pd.DataFrame({"gene_id": names, "gene_name": names, "bp_length": 500 + 10 * np.arange(len(names))})
    genes.to_parquet(paths["genes.parquet"], index=False)
    split = pd.DataFrame({"split": "default", "study": sorted(set(studies)), "role": ROLES})
    split.to_csv(paths["splits.tsv"], sep="\t", index=False)
    return list(paths.values())


def small_expression():
    """(expression, studies): 13 studies of 10 samples, low rank plus noise, one constant gene."""
    generator = np.random.default_rng(5)
    studies = np.repeat([f"study{number:02d}" for number in range(len(ROLES))], 10)
    factors = generator.normal(size=(len(studies), 3)) + np.repeat(generator.normal(size=(len(ROLES), 3)), 10, axis=0)
    expression = 5 + factors @ generator.normal(size=(3, GENES)) + 0.3 * generator.normal(size=(len(studies), GENES))
    expression[:, 7] = 4.0
    return expression.astype(np.float32), studies


def small_settings():
    """Settings of a network that trains in a second."""
    return PretrainSettings(
        split="default",
        architecture="mlp",
        seed=1,
        roles=("pretrain",),
        steps=60,
        batch_samples=16,
        objectives={"masked_expression": {"weight": 1.0}},
        samples_at_once=0,
        mask_share=0.3,
        input_noise=0.5,
        learning_rate=3e-3,
        weight_decay=0.01,
        warm_up_steps=5,
        maximum_gradient_norm=1.0,
        minimum_scale=0.1,
        hidden_widths=(16,),
        width=4,
        decoder_widths=(),
        depth=1,
        heads=2,
        token_width=8,
        expression_bins=5,
        attention="flash",
        validate_every_steps=20,
        checkpoint_every_steps=8,
        early_stopping_validations=0,
        loss_spike_factor=3.0,
        loss_spike_steps=20,
        precision="float32",
        deterministic=False,
        evaluation_mask_share=0.3,
        evaluation_masks=2,
    )
