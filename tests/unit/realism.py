"""Figures by which the small world is held against real data; the same functions compute both sides."""

import numpy as np
from scipy import sparse

RIDGE_CONSTANTS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


def zero_share(counts):
    """Share of zeros in a table of counts (samples, genes)."""
    return float((np.asarray(counts) == 0).mean())


def log_expression(counts):
    """log2(counts per million + 1) of counts (samples, genes)."""
    counts = np.asarray(counts, dtype=float)
    return np.log2(counts / counts.sum(axis=1, keepdims=True) * 1e6 + 1)


def median_dispersion(counts, groups, min_mean=10.0):
    """Median over genes of the negative binomial dispersion within groups, by moments.

    Counts are scaled to the median library size of their group; with mean m and variance v over a group's samples the
    dispersion is (v - m) / m^2 (Poisson variance taken off), averaged over groups by degrees of freedom.

    Parameters
    ----------
    counts : array (samples, genes)
    groups : array (samples,)
        Replicates share a label; groups of one sample are left out.
    min_mean : float
        Genes with a lower mean count in a group are left out of that group.
    """
    counts, groups = np.asarray(counts, dtype=float), np.asarray(groups)
    total, weight = np.zeros(counts.shape[1]), np.zeros(counts.shape[1])
    for group in np.unique(groups):
        own = counts[groups == group]
        if len(own) < 2:
            continue
        size = own.sum(axis=1, keepdims=True)
        scale = np.median(size) / size
        mean, variance = (own * scale).mean(axis=0), (own * scale).var(axis=0, ddof=1)
        used = mean >= min_mean
        poisson = mean * scale.mean()
        total[used] += (len(own) - 1) * ((variance - poisson)[used] / mean[used] ** 2)
        weight[used] += len(own) - 1
    return float(np.median(total[weight > 0] / weight[weight > 0]))


def variance_share(values, groups):
    """Mean over genes of the share of variance between groups (adjusted R^2 of one-way analysis of variance).

    Parameters
    ----------
    values : array (samples, genes)
        Log expression; genes without variance are left out.
    groups : array (samples,)
        Study, or another label.
    """
    values = np.asarray(values, dtype=float)
    _, code = np.unique(np.asarray(groups), return_inverse=True)
    count, samples = code.max() + 1, len(values)
    member = sparse.csr_matrix((np.ones(samples), (code, np.arange(samples))), shape=(count, samples))
    size = np.asarray(member.sum(axis=1))
    within = ((values - (member @ values / size)[code]) ** 2).sum(axis=0) / (samples - count)
    total = values.var(axis=0, ddof=1)
    return float(np.mean(1 - within[total > 0] / total[total > 0]))


def nearest_centroid_accuracy(values, labels, genes=2000):
    """Leave-one-out accuracy of the nearest class centroid (Euclidean) on the most variable genes.

    Classes of one sample are left out. The choice of genes sees all samples.

    Parameters
    ----------
    values : array (samples, genes)
        Log expression.
    labels : array (samples,)
    genes : int
    """
    values, labels = np.asarray(values, dtype=float), np.asarray(labels)
    _, code, size = np.unique(labels, return_inverse=True, return_counts=True)
    kept = size[code] > 1
    values = values[kept]
    _, code, size = np.unique(code[kept], return_inverse=True, return_counts=True)
    values = values[:, np.argsort(-values.var(axis=0), kind="stable")[:genes]]
    sums = np.array([values[code == number].sum(axis=0) for number in range(len(size))])
    right = 0
    for row, (sample, own) in enumerate(zip(values, code, strict=True)):
        left = size - (np.arange(len(size)) == own)
        centroids = (sums - (np.arange(len(size)) == own)[:, None] * values[row]) / left[:, None]
        right += int(((centroids - sample) ** 2).sum(axis=1).argmin() == own)
    return right / len(values)


def jaccard_graph(genes, annotation, threshold=0.1, neighbours=20):
    """Similarity of genes by shared terms: Jaccard above `threshold`, each gene's top `neighbours`, made symmetric.

    Parameters
    ----------
    genes : sequence of str
    annotation : pandas.DataFrame
        gene, term.

    Returns
    -------
    ndarray (genes, genes)
        Unit diagonal; genes without terms stand alone.
    """
    position = {gene: number for number, gene in enumerate(genes)}
    known = annotation[annotation["gene"].isin(position)].drop_duplicates(["gene", "term"])
    rows = known["gene"].map(position).to_numpy()
    columns = known["term"].astype("category").cat.codes.to_numpy()
    member = sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(position), columns.max() + 1))
    shared = (member @ member.T).toarray()
    size = np.diag(shared)
    jaccard = shared / np.maximum(size[:, None] + size[None, :] - shared, 1)
    np.fill_diagonal(jaccard, 0)
    jaccard[jaccard <= threshold] = 0
    if neighbours < len(jaccard):
        jaccard[jaccard < np.sort(jaccard, axis=1)[:, [-neighbours]]] = 0
    jaccard = np.maximum(jaccard, jaccard.T)
    np.fill_diagonal(jaccard, 1)
    return jaccard


def neighbourhood_cosine(similarity):
    """Cosine of the genes' rows in the symmetric-normalised graph: alike are genes with the same neighbours.

    Parameters
    ----------
    similarity : ndarray (genes, genes)
        Symmetric, unit diagonal.
    """
    root = 1 / np.sqrt(similarity.sum(axis=1))
    rows = similarity * root[:, None] * root[None, :]
    rows /= np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return rows @ rows.T


def graph_ridge_error(deltas, kernel, folds=10, repeats=3, seed=0):
    """Squared error of kernel ridge on a graph, relative to the training mean, on held-out perturbations.

    The ridge constant is the best of `RIDGE_CONSTANTS` on the score itself, so the figure is slightly optimistic, for
    real data and small world alike. 1 means that the graph tells nothing.

    Parameters
    ----------
    deltas : array (perturbations, genes or coordinates)
    kernel : array (perturbations, perturbations)
        Such as `neighbourhood_cosine`.
    """
    deltas = np.asarray(deltas, dtype=float)
    gram, count = deltas @ deltas.T, len(deltas)
    generator = np.random.default_rng(seed)
    errors, floor = np.zeros(len(RIDGE_CONSTANTS)), 0.0
    for _ in range(repeats):
        for test in np.array_split(generator.permutation(count), folds):
            train = np.setdiff1d(np.arange(count), test)
            values, vectors = np.linalg.eigh(kernel[np.ix_(train, train)])
            across = kernel[np.ix_(test, train)] @ vectors
            centre = np.eye(len(train)) - 1 / len(train)
            residual = np.zeros((len(test), count))  # rows that map all deltas to the test perturbations' errors
            residual[np.arange(len(test)), test] = 1
            residual[:, train] = -1 / len(train)
            floor += ((residual @ gram) * residual).sum()
            from_centred = vectors.T @ centre
            for number, constant in enumerate(RIDGE_CONSTANTS):
                rows = residual.copy()
                rows[:, train] -= (across / (values + constant)) @ from_centred
                errors[number] += ((rows @ gram) * rows).sum()
    return float(errors.min() / floor)


def pseudobulk_deltas(counts, perturbation, control="control", target=1e4):
    """Mean log expression of each perturbation's cells minus that of the control cells.

    Parameters
    ----------
    counts : sparse matrix (cells, genes)
    perturbation : array (cells,)
    target : float
        Library size to which cells are scaled before log(1 + x).

    Returns
    -------
    names : list of str
    deltas : ndarray (perturbations, genes)
    """
    counts = sparse.csr_matrix(counts, dtype=float)
    size = np.asarray(counts.sum(axis=1))
    expression = counts.multiply(target / size).tocsr()
    expression.data = np.log1p(expression.data)
    perturbation = np.asarray(perturbation).astype(str)
    names = sorted(set(perturbation) - {control})
    mean = {name: np.asarray(expression[perturbation == name].mean(axis=0)).ravel() for name in [*names, control]}
    return names, np.array([mean[name] - mean[control] for name in names])
