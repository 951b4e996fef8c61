"""The network of GEARS for an ensemble of members, from the published equations."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import nn

from scarceseq.perturbation.gears.decoder import Decoder
from scarceseq.perturbation.gears.layers import BatchNorm, Linear, Propagation, TwoLayers, drawn, limit_norm_
from scarceseq.perturbation.gears.rows import Rows
from scarceseq.perturbation.gears.settings import ModelSettings

POSITION_WEIGHT = 0.2  # of the co-expression embedding beside the gene's own
CHUNK_ROWS = 32  # rows decoded at once outside training


class Gears(nn.Module):
    """Predicted differences to control.

    Parameters
    ----------
    coexpression : tuple
        (source, target, weight) of the edges between genes, by position; without self pairs.
    similarity : tuple
        The same between the nodes that can be perturbed; optionally their in-degrees, as `Propagation` takes them.
    targets : torch.Tensor of int, shape (conditions, genes perturbed at once)
        Nodes that each condition perturbs; -1 for none. Control is a condition without any.
    nodes : int
        Nodes of the similarity graph.
    seeds : list of int
        Of the initial weights, one per member.
    """

    targets: torch.Tensor

    def __init__(
        self,
        genes: int,
        coexpression: tuple[np.ndarray, ...],
        similarity: tuple[np.ndarray, ...],
        targets: np.ndarray,
        nodes: int,
        settings: ModelSettings,
        seeds: Sequence[int],
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        draw, hidden = [torch.Generator().manual_seed(seed) for seed in seeds], settings.hidden
        members = len(draw)
        self.register_buffer("targets", torch.as_tensor(targets, dtype=torch.long), persistent=False)
        self.along_coexpression = Propagation(*coexpression, genes)  # type: ignore[arg-type, call-arg]
        self.along_similarity = Propagation(*similarity[:3], nodes, *similarity[3:])  # type: ignore[arg-type, call-arg]
        self.gene_embedding = drawn(draw, genes, hidden)
        self.position_embedding = drawn(draw, genes, hidden)
        self.perturbation_embedding = drawn(draw, nodes, hidden)
        self.gene_norm = BatchNorm(members, hidden)
        self.coexpression_layers = nn.ModuleList(
            [Linear(draw, hidden, hidden) for _ in range(settings.coexpression_layers)]
        )
        self.similarity_layers = nn.ModuleList(
            [Linear(draw, hidden, hidden) for _ in range(settings.similarity_layers)]
        )
        self.gene_mlp = TwoLayers(draw, hidden, hidden, hidden)
        self.fuse_mlp = TwoLayers(draw, hidden, hidden, hidden)
        self.sum_norm = BatchNorm(members, hidden)
        self.recovery = TwoLayers(draw, hidden, 2 * hidden, hidden)
        # Xavier's deviations for the shapes that these weights have in the reference
        self.own_weight = drawn(draw, genes, hidden, scale=(2 / (genes + hidden)) ** 0.5)
        self.own_bias = drawn(draw, genes, scale=(2 / (genes + 1)) ** 0.5)
        self.cross_mlp = TwoLayers(draw, genes, hidden, hidden)
        self.output_weight = drawn(draw, genes, hidden + 1, scale=(2 / ((genes + 1) * (hidden + 1))) ** 0.5)
        self.output_bias = drawn(draw, genes, scale=(2 / (genes + 1)) ** 0.5)
        self.uncertainty = Uncertainty(draw, hidden) if settings.uncertainty else None
        self.to(dtype)

    def forward(self, rows: Rows) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Predictions for the rows of a batch, (members, rows, genes), and their log-variance if it is estimated."""
        share = rows.share.to(self.gene_embedding.dtype)
        count = rows.count.to(share.dtype)
        genes = self.gene_states(rows.first_alone, count)
        shift = self.perturbation_states(rows.condition, share, count)
        return self.respond(genes, shift, share, count)

    @torch.no_grad()
    def predict(self, condition: torch.Tensor, alone: bool = False) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Predictions in evaluation, where rows do not depend on each other, as `forward` with conditions for rows.

        With `alone` as for the cells of a batch that receive no co-expression information.
        """
        self.eval()
        members = len(self.gene_embedding)
        rows = condition.to(self.targets.device).expand(members, -1)
        share = self.gene_embedding.new_zeros(rows.shape)
        count = share.new_ones(members)
        genes = self.gene_states(alone, count)[:, -1:]
        return self.respond(genes, self.perturbation_states(rows, share, count), share, count)

    @torch.no_grad()
    def hidden_states(self, condition: torch.Tensor) -> torch.Tensor:
        """What each perturbation adds to the state of every gene, in evaluation: its embedding as trained.

        Shape (members, conditions, hidden).
        """
        self.eval()
        rows = condition.to(self.targets.device).expand(len(self.gene_embedding), -1)
        share = self.gene_embedding.new_zeros(rows.shape)
        return self.perturbation_states(rows, share, share.new_ones(len(rows)))

    def respond(
        self, genes: torch.Tensor, shift: torch.Tensor, share: torch.Tensor, count: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Predictions from the states of genes and what the rows' perturbations add to them."""
        base, shift = self.normalised_sum(genes, shift, share, count)
        outputs = self.decode(base, shift, share, count)
        cross = self.cross_mlp(outputs, share, count)
        delta = outputs * self.output_weight[:, None, :, 0] + self.output_bias[:, None]
        delta = delta + cross @ self.output_weight[:, :, 1:].mT
        if self.uncertainty is None:
            return delta, None
        return delta, self.uncertainty(relu_of_sum(base, shift), share, count)

    def gene_states(self, first_alone: bool, count: torch.Tensor) -> torch.Tensor:
        """State of each gene, (members, kinds, genes, hidden): with co-expression information, and, second, without."""
        members, genes, hidden = self.gene_embedding.shape
        limit_norm_(self.gene_embedding)
        limit_norm_(self.position_embedding)
        of_genes = count * genes
        even = self.gene_embedding.new_full((members, genes), 1 / genes)
        of_each = torch.relu(self.gene_norm(self.gene_embedding, even, of_genes))
        kinds = [self.along_coexpression] + [nn.Identity()] * first_alone
        positions = torch.stack([self.positions(along) for along in kinds], dim=1)
        states = (of_each[:, None] + POSITION_WEIGHT * positions).flatten(1, 2)
        each = torch.stack([1 / count, 1 - 1 / count], dim=1) if first_alone else torch.ones_like(count)[:, None]
        share = (each / genes).repeat_interleave(genes, dim=1)
        return self.gene_mlp(states, share, of_genes).view(members, len(kinds), genes, hidden)

    def positions(self, along: nn.Module) -> torch.Tensor:
        """Embedding of the genes' place in the co-expression graph, (members, genes, hidden)."""
        values = self.position_embedding
        for index, layer in enumerate(self.coexpression_layers):
            values = layer(along(torch.relu(values) if index else values))
        return values

    def perturbation_states(self, condition: torch.Tensor, share: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """What each row's perturbation adds to every gene, (members, rows, hidden); 0 for control."""
        limit_norm_(self.perturbation_embedding)
        nodes = self.perturbation_embedding
        for index, layer in enumerate(self.similarity_layers):
            nodes = layer(self.along_similarity(torch.relu(nodes) if index else nodes))
        targets = self.targets[condition]  # (members, rows, perturbed at once)
        present = targets >= 0
        member = torch.arange(len(nodes), device=nodes.device)[:, None, None]
        total = (nodes[member, targets.clamp(min=0)] * present[..., None]).sum(dim=2)
        perturbed = present.any(dim=2)
        of_perturbed = share * perturbed
        perturbed_share = of_perturbed.sum(dim=1)
        among = of_perturbed / perturbed_share.clamp(min=1e-30)[:, None]
        fused = self.fuse_mlp(total, among, (perturbed_share * count).clamp(min=2))
        return fused * perturbed[..., None]

    def normalised_sum(
        self, genes: torch.Tensor, shift: torch.Tensor, share: torch.Tensor, count: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Scale and shift so that relu(genes + shift) is the normalised sum of both.

        Every row of a kind holds every gene, so mean and variance of the sum follow from those of its parts.
        """
        kinds, gene_count = genes.shape[1:3]
        if self.training:
            alone = kinds - 1
            centre, spread = genes.mean(dim=2), genes.var(dim=2, correction=0)  # (members, kinds, hidden)
            kind = torch.tensor([0] * alone + [kinds - 1] * (shift.shape[1] - alone), device=shift.device)
            row_mean = centre[:, kind] + shift
            mean = (share[:, None] @ row_mean)[:, 0]
            around = spread[:, kind] + (row_mean - mean[:, None]).square()
            variance = (share[:, None] @ around)[:, 0]
            self.sum_norm.follow(mean, variance, count * gene_count)
        else:
            mean, variance = self.sum_norm.running_mean, self.sum_norm.running_variance
        scale, offset = self.sum_norm.affine(mean, variance)
        return genes * scale[:, None, None], shift * scale[:, None] + offset[:, None]

    def decode(self, base: torch.Tensor, shift: torch.Tensor, share: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """Each gene's own output, (members, rows, genes), before genes inform each other."""
        mlp = self.recovery
        if self.training:
            norms = (mlp.first_norm.weight, mlp.first_norm.bias, mlp.second_norm.weight, mlp.second_norm.bias)
            layers = (mlp.first.weight, mlp.second.weight)
            out, *statistics = Decoder.apply(base, shift, share, *layers, *norms, self.own_weight)
            self.follow_recovery(statistics, count * base.shape[2])
            # biases before a normalisation change nothing, but the optimiser shall see a gradient of 0
            idle = 0.0 * (mlp.first.bias.sum() + mlp.second.bias.sum())
            return out + self.own_bias[:, None] + idle
        first = mlp.first_norm.affine(mlp.first_norm.running_mean, mlp.first_norm.running_variance)
        weight = mlp.first.weight * first[0][:, :, None]
        bias = mlp.first.bias * first[0] + first[1]
        scale, offset = mlp.second_norm.affine(mlp.second_norm.running_mean, mlp.second_norm.running_variance)
        # the last affine map and each gene's own weights are one vector per gene
        vectors = (self.own_weight * scale[:, None]) @ mlp.second.weight
        constant = self.own_bias + (self.own_weight @ (mlp.second.bias * scale + offset)[:, :, None])[:, :, 0]
        outputs = []
        for start in range(0, shift.shape[1], CHUNK_ROWS):
            inputs = relu_of_sum(base, shift[:, start : start + CHUNK_ROWS], start)
            wide = torch.relu(torch.baddbmm(bias[:, None], inputs.flatten(1, 2), weight.mT))
            outputs.append((wide.view(*inputs.shape[:3], -1) * vectors[:, None]).sum(dim=-1))
        return torch.cat(outputs, dim=1) + constant[:, None]

    @torch.no_grad()
    def follow_recovery(self, statistics: Sequence[torch.Tensor], count: torch.Tensor) -> None:
        """Running statistics of the decoder, which leaves the biases of its layers out."""
        mean_1, variance_1, mean_2, variance_2 = statistics
        self.recovery.first_norm.follow(mean_1 + self.recovery.first.bias, variance_1, count)
        self.recovery.second_norm.follow(mean_2 + self.recovery.second.bias, variance_2, count)


class Uncertainty(nn.Module):
    """Log-variance of each gene: linear, normalisation and ReLU twice, then linear and normalisation."""

    def __init__(self, generators: list[torch.Generator], hidden: int) -> None:
        super().__init__()
        self.layers = TwoLayers(generators, hidden, 2 * hidden, hidden)
        self.last, self.last_norm = Linear(generators, hidden, 1), BatchNorm(len(generators), 1)

    def forward(self, inputs: torch.Tensor, share: torch.Tensor, count: torch.Tensor) -> torch.Tensor:
        """(members, rows, genes, hidden) to (members, rows, genes)."""
        members, rows, genes, _ = inputs.shape
        share = (share / genes).repeat_interleave(genes, dim=1)
        hidden = torch.relu(self.layers(inputs.flatten(1, 2), share, count * genes))
        return self.last_norm(self.last(hidden), share, count * genes).view(members, rows, genes)


def relu_of_sum(base: torch.Tensor, shift: torch.Tensor, start: int = 0) -> torch.Tensor:
    """relu(base + shift), (members, rows, genes, hidden); with two kinds of base, row 0 of the batch uses the first."""
    total = base[:, -1:] + shift[:, :, None]
    if base.shape[1] == 2 and start == 0:
        total = torch.cat([base[:, :1] + shift[:, :1, None], total[:, 1:]], dim=1)
    return torch.relu(total)
