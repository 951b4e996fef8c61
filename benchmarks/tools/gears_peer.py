"""The installed cell-gears beside ours: its model on given graphs, weights copied from it, its batches.

cell-gears 0.1.2 reads data and graphs from its own servers; here its model, loss and evaluation are called directly,
with the arguments that its training gives them.
"""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch

# Parts of both models, theirs to ours.
TENSORS = {
    "gene_emb.weight": "gene_embedding",
    "emb_pos.weight": "position_embedding",
    "pert_emb.weight": "perturbation_embedding",
    "indv_w1": "own_weight",
    "indv_b1": "own_bias",
    "indv_w2": "output_weight",
    "indv_b2": "output_bias",
}
TWO_LAYERS = {
    "emb_trans_v2": "gene_mlp",
    "pert_fuse": "fuse_mlp",
    "recovery_w": "recovery",
    "cross_gene_state": "cross_mlp",
}
CONVOLUTIONS = {"layers_emb_pos": "coexpression_layers", "sim_layers": "similarity_layers"}
NORMS = {"bn_emb": "gene_norm", "bn_pert_base": "sum_norm"}
PLACES = {"0": "first", "1": "first_norm", "3": "second", "4": "second_norm"}
UNCERTAINTY = {place: f"layers.{name}" for place, name in PLACES.items()} | {"6": "last", "7": "last_norm"}
# They have these and never use them.
UNUSED = ("pert_w", "bn_pert_base_trans")


def import_gears():
    """Modules gears.model, gears.utils and gears.inference."""
    # the benchmark has the name of the package that it imports
    sys.path[:] = [folder for folder in sys.path if Path(folder or ".").resolve() != Path(__file__).parents[1]]
    # removed from pandas; cell-gears indexes with it
    pd.Series.nonzero = lambda series: series.to_numpy().nonzero()
    from gears import inference, model, utils

    return model, utils, inference


def our_name(theirs):
    """Name in our model of one of their parameters or buffers; None for what is never used."""
    if theirs in TENSORS:
        return TENSORS[theirs]
    part, *rest = theirs.split(".")
    if part in UNUSED or rest[-1] == "num_batches_tracked":
        return None
    last = rest[-1].replace("running_var", "running_variance")
    if part in TWO_LAYERS:
        return f"{TWO_LAYERS[part]}.{PLACES[rest[1]]}.{last}"
    if part == "uncertainty_w":
        return f"uncertainty.{UNCERTAINTY[rest[1]]}.{last}"
    if part in CONVOLUTIONS:
        return f"{CONVOLUTIONS[part]}.{rest[0]}.{last}"
    return f"{NORMS[part]}.{last}"


def stock_model(genes, nodes, coexpression, similarity, settings, dtype=torch.float32, device="cpu"):
    """Their model; arguments as `scarceseq.perturbation.gears.model.Gears` has them."""
    graphs = {}
    for name, (source, target, weight), count in (("G_coexpress", coexpression, genes), ("G_go", similarity, nodes)):
        loops = np.arange(count)
        edges = np.stack([np.concatenate([source, loops]), np.concatenate([target, loops])])
        graphs[name] = torch.from_numpy(edges)
        graphs[f"{name}_weight"] = torch.from_numpy(np.concatenate([weight, np.ones(count)])).to(dtype)
    shape = {"num_genes": genes, "num_perts": nodes, "hidden_size": settings.hidden, "decoder_hidden_size": 16}
    layers = {"num_go_gnn_layers": settings.similarity_layers, "num_gene_gnn_layers": settings.coexpression_layers}
    rest = {"uncertainty": settings.uncertainty, "no_perturb": False, "device": device}
    return import_gears()[0].GEARS_Model(shape | layers | rest | graphs).to(device, dtype)


def copy_weights(stock, ours):
    """Copy their weights and running statistics into every member of ours."""
    state = ours.state_dict()
    for theirs, values in stock.state_dict().items():
        name = our_name(theirs)
        if name:
            state[name].copy_(values.reshape(state[name].shape[1:]))


def differences(stock, ours, of_parameter):
    """Largest difference of what `of_parameter` gives for a parameter, relative to the global norm; first member."""
    pairs = [(values, our_name(theirs)) for theirs, values in stock.named_parameters()]
    found = [
        (of_parameter(values), of_parameter(ours.get_parameter(name))[0])
        for values, name in pairs
        if name and of_parameter(values) is not None
    ]
    norm = sum(float(theirs.double().square().sum()) for theirs, _ in found) ** 0.5
    return max(float((theirs.reshape(own.shape) - own).abs().max()) for theirs, own in found) / norm


def stock_batch(control, expression, conditions, targets):
    """A batch as their data loader gives it.

    Parameters
    ----------
    control, expression : torch.Tensor, shape (cells, genes)
    conditions : list of int
    targets : list of list of int
        Nodes that each condition perturbs.
    """
    cells, genes = control.shape
    return SimpleNamespace(
        x=control.reshape(-1, 1),
        y=expression,
        pert_idx=[targets[condition] or [-1] for condition in conditions],
        pert=[condition_name(condition, targets) for condition in conditions],
        batch=torch.arange(cells, device=control.device).repeat_interleave(genes),
        de_idx=[list(range(20)) for _ in conditions],
        to=lambda device: None,
    )


def condition_name(condition, targets):
    """Their name of a condition; control has a name of its own in their loss."""
    return "+".join(map(str, targets[condition])) or "ctrl"


def stock_loss(prediction, batch, kept, mean_control, targets, settings):
    """Their loss of a batch; `kept` holds the genes that count, a list for each condition."""
    _, utils, _ = import_gears()
    genes = {condition_name(number, targets): rows for number, rows in enumerate(kept)}
    options = {"ctrl": mean_control, "direction_lambda": settings.direction_weight, "dict_filter": genes}
    if isinstance(prediction, tuple):
        arguments = (*prediction, batch.y, batch.pert)
        return utils.uncertainty_loss_fct(*arguments, reg=settings.uncertainty_weight, **options)
    return utils.loss_fct(prediction, batch.y, batch.pert, **options)
