"""Few-shot fits: the engine against a plain loop of one nn.Module and torch.optim.SGD per episode.

Bars on the CPU, per core: fits with a guide of its own value for each weight at 8 times the plain loop at 2,000 genes
and 20 times at 20,000; without a guide, and with one rate for all weights, 10 times. In float64 both find the same
weights to 1e-10 of the largest displacement. A fit is what the rule `fit_episodes` does for one test episode: 100 steps
on 5 classes x 5 samples, and class probabilities of 50 other samples; learning rates that are tried on the same episode
share part of the work, which is shown but not counted. Both sides run on one thread, in turn, and keep freed memory.

With ``--device cuda`` (torch, numpy and the package only): 50 times the plain loop on the same GPU with a guide, and
fits per second of every gradient-trained method.
"""

import argparse
import copy
import json
import os
import statistics
import sys
import time
from pathlib import Path

# One thread in every library, as the workflow gives the rule; before they are imported.
os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")

import numpy as np
import torch
from torch.nn.functional import cross_entropy

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow" / "scripts"))

from scarceseq import registry, runtime
from scarceseq.fewshot.compose import compose
from scarceseq.fewshot.corpus import Episode
from scarceseq.fewshot.engine.fitting import Fitter
from scarceseq.fewshot.engine.rate_inputs import RateInputs
from scarceseq.fewshot.engine.rates import guide_rate
from scarceseq.fewshot.engine.starts import pretrained_start
from scarceseq.fewshot.method import Candidate
from scarceseq.fewshot.settings import FittingSettings
from scarceseq.pretrain.model import Base
from scarceseq.seeds import derive

ARCHITECTURE = {"hidden_widths": [512], "width": 128, "decoder_widths": []}
STEPS = 100
SETTINGS = FittingSettings(
    **{"momentum": 0.9, "pca_components": 0, "reference_samples": 2, "curve_steps": [], "curve_episodes": 0},
    candidates=[Candidate(0.0, STEPS)],
)
# A stable rate falls with the number of genes: fits that diverge would compare nothing.
LEARNING_RATE_TIMES_GENES = 2.0
CPU_BARS = {
    (2_000, "guided@per_tensor"): 8,
    (2_000, "full_fine_tuning"): 10,
    (2_000, "mean_rate@per_tensor"): 10,
    (20_000, "guided@per_tensor"): 20,
    (20_000, "full_fine_tuning"): 10,
    (20_000, "mean_rate@per_tensor"): 10,
}
CUDA_BAR = 50
TOLERANCE = 1e-10


def make_setting(genes, device, dtype):
    """Base of the default size with random weights, and a random guide."""
    torch.manual_seed(1)
    mean, scale = torch.zeros(genes, dtype=dtype), torch.rand(genes, dtype=dtype) + 0.5
    network = registry.load("pretrain.architectures", "mlp").build(mean, scale, ARCHITECTURE).to(device, dtype)
    torch.nn.init.normal_(network.encoder.output.weight, std=0.05)  # the hidden layers have a say
    information = {"architecture": "mlp", "settings": ARCHITECTURE}
    base = Base(network.eval(), [f"g{gene}" for gene in range(genes)], mean.to(device), scale.to(device), information)
    named = network.encoder.named_parameters()
    guide = {f"encoder.{name}": torch.rand_like(weight.detach()) ** 4 for name, weight in named}
    reference = np.random.default_rng(2).normal(size=(64, genes)).astype(np.float32)
    return RateInputs(base, pretrained_start(base, 2, 0), guide, 3, reference)


def make_episodes(genes, count):
    """5 classes x 5 support and 10 query samples each; classes differ in a twentieth of the genes."""
    generator = np.random.default_rng(4)
    shifts = generator.normal(size=(5, genes)) * (generator.random((5, genes)) < 0.05)
    episodes = []
    for number in range(count):
        support_classes, query_classes = np.arange(25) % 5, np.arange(50) % 5
        parts = []
        for classes in (support_classes, query_classes):
            values = generator.normal(size=(len(classes), genes)) + shifts[classes]
            parts += [values.astype(np.float32), classes]
        episodes.append(Episode("test", number, number, list("abcde"), *parts, [], "", ""))
    return episodes


def plain(setting, episode, rate, learning_rate):
    """The plain loop: probabilities of the query and the trained module."""
    device, dtype = setting.base.mean.device, setting.base.mean.dtype
    support, query = (torch.from_numpy(part).to(device, dtype) for part in (episode.support, episode.query))
    classes = torch.from_numpy(episode.support_classes).to(device)
    network = copy.deepcopy(pretrained_start(setting.base, 5, derive(episode.seed, "start")))
    optimiser = torch.optim.SGD(network.parameters(), lr=learning_rate, momentum=SETTINGS.momentum)
    guided = [(weight, rate[name]) for name, weight in network.named_parameters() if name in rate]
    for _ in range(STEPS):
        optimiser.zero_grad()
        cross_entropy(network(support), classes).backward()
        for weight, factor in guided:  # under SGD with momentum the same as multiplying the update
            weight.grad.mul_(factor)
        optimiser.step()
    with torch.no_grad():
        return network(query).double().softmax(dim=1).cpu().numpy(), network


def rates_of(name, setting):
    """Rates by which the plain loop multiplies gradients; none without a guide."""
    if name == "full_fine_tuning":
        return {}
    guide = guide_rate(setting)
    return guide if name == "guided@per_tensor" else METHODS[name].rate(setting)


def compare_weights(genes):
    """Largest difference of weights and probabilities in float64, relative to the largest displacement."""
    setting, (episode,) = make_setting(genes, "cpu", torch.float64), make_episodes(genes, 1)
    rate, worst = LEARNING_RATE_TIMES_GENES / genes, 0.0
    for name in ("guided@per_tensor", "full_fine_tuning", "mean_rate@per_tensor"):
        expected, network = plain(setting, episode, rates_of(name, setting), rate)
        fitter = Fitter(METHODS[name], setting, SETTINGS)
        triple, engine = fitter.begin(episode)
        tensors = [torch.from_numpy(a) for a in (episode.support, episode.support_classes, episode.query)]
        support = engine.prepare(triple, tensors[0].double(), tensors[1], tensors[2].double())
        fit = engine.fit(support, fitter.schedule(Candidate(rate, STEPS)))
        weights, final = engine.weights(support, fit), dict(network.named_parameters())
        largest = max(float((final[n].detach() - triple.start[n]).abs().max()) for n in final)
        worst = max([worst, *(float((final[n].detach() - weights[n]).abs().max()) / largest for n in final)])
        worst = max(worst, float(np.abs(expected - engine.predict(support, fit).numpy()).max()))
    return worst


def timed(function, device):
    """Seconds that a call takes."""
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    function()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def measure_cpu(genes, rounds):
    """Ratio to the plain loop of each kind of fit, and milliseconds of both."""
    setting, episodes = make_setting(genes, "cpu", torch.float32), make_episodes(genes, rounds + 1)
    rate, found = LEARNING_RATE_TIMES_GENES / genes, {}
    tried = Candidate(rate, STEPS)
    names = [name for at, name in CPU_BARS if at == genes]
    fitters = {name: Fitter(METHODS[name], setting, SETTINGS) for name in names}
    times = {name: {"plain": [], "one": [], "three": []} for name in names}
    for number, episode in enumerate(episodes):  # the first round warms up
        for name in names:
            factors = rates_of(name, setting)
            seconds = {
                "plain": timed(lambda e=episode, f=factors: plain(setting, e, f, rate), "cpu"),
                "one": timed(lambda e=episode, n=name: fitters[n].one_by_one(e, [tried]), "cpu"),
                "three": timed(lambda e=episode, n=name: fitters[n].one_by_one(e, [tried] * 3), "cpu") / 3,
            }
            for kind, value in seconds.items():
                if number:
                    times[name][kind].append(value)
    for name, by_kind in times.items():
        ratios = {
            kind: statistics.median(p / o for p, o in zip(by_kind["plain"], by_kind[kind], strict=True))
            for kind in ("one", "three")
        }
        milliseconds = {kind: 1e3 * statistics.median(values) for kind, values in by_kind.items()}
        found[name] = {"ratio": ratios["one"], "ratio_of_three_rates": ratios["three"], "milliseconds": milliseconds}
    return found


def run_cpu(quick):
    """All bars on the CPU."""
    torch.set_num_threads(1)
    runtime.keep_freed_memory()
    worst = compare_weights(2_000)
    print(f"float64, 2,000 genes: largest difference {worst:.1e} of the largest displacement (bar {TOLERANCE:g})")
    print(f"{'genes':>7} {'method':18} {'plain ms':>9} {'ours ms':>8} {'ratio':>6} {'bar':>4} {'three rates':>12}")
    figures, ratio = {}, float("inf")
    for genes, rounds in ((2_000, 3 if quick else 7), (20_000, 1 if quick else 3)):
        for name, figure in measure_cpu(genes, rounds).items():
            bar, times = CPU_BARS[genes, name], figure["milliseconds"]
            print(
                f"{genes:7d} {name:18} {times['plain']:9.1f} {times['one']:8.1f} {figure['ratio']:6.1f} {bar:4d} "
                f"{figure['ratio_of_three_rates']:12.1f}{'' if figure['ratio'] >= bar else '   MISSED'}"
            )
            figures[f"{genes} {name}"] = figure | {"bar": bar}
            ratio = min(ratio, figure["ratio"] / bar)
    print(f"cores: {os.cpu_count()}; load average: {os.getloadavg()[0]:.1f}")
    detail = {"figures": figures, "largest_difference": worst, "load_average": os.getloadavg()}
    return {"ratio": ratio, "equal": worst <= TOLERANCE, "device": "cpu", "detail": detail}


def measure_stacked(device, genes, count, at_once=None):
    """Fits per second of every gradient-trained method, stacked; of the plain loop; and whether both predict alike."""
    setting, episodes = make_setting(genes, device, torch.float32), make_episodes(genes, count)
    rate, per_second, equal = LEARNING_RATE_TIMES_GENES / genes, {}, True
    factors = rates_of("guided@per_tensor", setting)
    plain(setting, episodes[0], factors, rate)
    slow = statistics.median(timed(lambda e=e: plain(setting, e, factors, rate), device) for e in episodes[:5])
    for name, method in METHODS.items():
        fitter = Fitter(method, setting, SETTINGS)
        size = min(at_once or fitter.fits_at_once(episodes[0]), count)
        fits = [(episode, Candidate(rate, STEPS)) for episode in episodes]
        blocks = [fits[first : first + size] for first in range(0, count, size)]
        found = fitter.stacked(blocks[0])  # warms up
        if method.optimiser == "sgd":
            alone = fitter.one_by_one(episodes[0], [Candidate(rate, STEPS)])[0]
            equal &= bool(np.abs(found[0] - alone).max() < 1e-2)
        seconds = timed(lambda f=fitter, b=blocks: [f.stacked(block) for block in b], device)
        per_second[name] = count / seconds
        print(f"{name:30} {per_second[name]:10.1f} fits/s, {size} at once")
    return per_second, 1 / slow, equal


def run_cuda(quick, genes=None, count=None):
    """Stacked fits on a GPU against the plain loop on it, and every gradient-trained method."""
    genes, count = genes or (2_000 if quick else 20_000), count or (64 if quick else 512)
    per_second, slow, equal = measure_stacked("cuda", genes, count)
    ratio = per_second["guided@per_tensor"] / slow
    print(f"plain loop {slow:.1f} fits/s; with a guide {ratio:.1f} times as fast (bar {CUDA_BAR})")
    detail = {"genes": genes, "fits_per_second": per_second, "plain_fits_per_second": slow}
    return {"ratio": ratio / CUDA_BAR, "equal": equal, "device": torch.cuda.get_device_name(), "detail": detail}


NAMES = [
    f"{name}@per_tensor" if registry.declared("fewshot.fine_tuning", name, "GUIDED", False) else name
    for name in registry.names("fewshot.fine_tuning")
]
METHODS = {name: compose(name) for name in NAMES}


def main():
    """Measure, print; exit 0 if all bars are met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument("--genes", type=int, help="with cuda")
    parser.add_argument("--fits", type=int, help="of each method, with cuda")
    arguments = parser.parse_args()
    sizes = (arguments.genes, arguments.fits) if arguments.device == "cuda" else ()
    result = (run_cuda if arguments.device == "cuda" else run_cpu)(arguments.quick, *sizes)
    result = {"name": "fewshot", "target": 1} | result
    print(json.dumps(result))
    sys.exit(0 if result["ratio"] >= 1 and result["equal"] else 1)


if __name__ == "__main__":
    main()
