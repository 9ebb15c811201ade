"""How much two numbers that are the same but for noise differ: variances over seeds, and limits of differences.

The variance over seeds is estimated from few seeds of every number, and from those of numbers like it. This is
empirical Bayes (Smyth 2004, "Linear models and empirical Bayes methods for assessing differential expression in
microarray experiments").
"""

import numpy as np
from scipy.special import betaln, stdtr, stdtrit

# Share of true agreements that are called a difference.
LEVEL = 0.05
# Prior degrees of freedom and prior variances (relative to the mean) that are tried.
PRIOR_DEGREES = np.geomspace(1, 128, 15)
PRIOR_VARIANCES = np.geomspace(0.001, 12, 70)
# Bisections of a limit, and points at which the uniform part of a difference is averaged.
BISECTIONS = 32
POINTS = 24


def shared_variances(variances: np.ndarray, degrees: np.ndarray, models: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Variances of numbers of one kind, each drawn towards what is typical of the kind.

    The true variances are taken to follow a scaled inverse chi-squared distribution, whose two parameters are averaged
    over their likelihood. Where the estimates differ no more than few degrees of freedom make them, the kind decides;
    where they differ much, as in a sweep with runs that diverge, every number keeps its own.

    Args:
        variances: estimates, shape (numbers,); any value where `degrees` is 0.
        degrees: of freedom of each estimate, shape (numbers,); not all 0.
        models: which model each number is of, integers, shape (numbers,).

    Returns the variances and their degrees of freedom, shapes (numbers,). Where `degrees` is 0, these are the kind's.
    """
    known = degrees > 0
    mean = np.average(variances[known], weights=degrees[known])
    most = together(degrees, models)
    if mean == 0:
        return np.zeros(len(variances)), np.full(len(variances), most)
    nu = degrees[known]
    # Seeds that happen to agree to the last digit: of two seeds, their likelihood would be infinite.
    relative = np.maximum(variances[known] / mean, 1e-6)
    prior = PRIOR_DEGREES[:, None, None]
    scaled = relative / PRIOR_VARIANCES[None, :, None]
    # Density of F(nu, prior), by which an estimate relative to the prior variance is distributed.
    density = (
        nu / 2 * np.log(nu / prior)
        - betaln(nu / 2, prior / 2)
        + (nu / 2 - 1) * np.log(scaled)
        - (nu + prior) / 2 * np.log1p(nu * scaled / prior)
        - np.log(PRIOR_VARIANCES)[None, :, None]
    ).sum(axis=2)
    weights = np.exp(density - density.max())
    weights /= weights.sum()
    prior_degrees = 1 / (weights.sum(axis=1) @ (1 / PRIOR_DEGREES))
    prior_variance = mean * np.exp(weights.sum(axis=0) @ np.log(PRIOR_VARIANCES))
    own = np.where(known, variances, 0.0)
    shared = (prior_degrees * prior_variance + degrees * own) / (prior_degrees + degrees)
    return shared, np.minimum(prior_degrees + degrees, most)


def together(degrees: np.ndarray, models: np.ndarray) -> float:
    """Degrees of freedom that several numbers of several models have together.

    Steps, layers or tasks of one model share its seeds, so that they deviate together; how much is not known. They
    count as the square root of their number: alike they would count as one, independent as their number.
    """
    numbers = np.bincount(models, weights=degrees > 0)
    most = np.zeros(len(numbers))
    np.maximum.at(most, models, degrees)
    return float((most * np.sqrt(numbers)).sum())


def effective_degrees(estimated: np.ndarray, degrees: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Degrees of freedom of the sum of an estimated variance and one that is known (Welch and Satterthwaite).

    Args:
        estimated: variances, shape (numbers,); degrees: their degrees of freedom; known: variances without error.

    Returns shape (numbers,); infinite where nothing is estimated.
    """
    share = np.divide(estimated, estimated + known, out=np.zeros_like(known), where=estimated + known > 0)
    return np.divide(degrees, share**2, out=np.full_like(known, np.inf), where=share > 0)


def limits(deviations: np.ndarray, degrees: np.ndarray, half_widths: np.ndarray) -> np.ndarray:
    """What differences exceed in absolute value with probability `LEVEL`.

    A difference is t-distributed with a scale, plus what rounding took away, which is uniform within a half-width.

    Args:
        deviations: scales of the t-distributions, shape (numbers,).
        degrees: of freedom, shape (numbers,); infinite for a normal distribution.
        half_widths: shape (numbers,); 0 for numbers that are exact.

    Returns shape (numbers,).
    """
    # `stdtr` has no infinite degrees of freedom; beyond these, t and the normal distribution are the same.
    degrees = np.minimum(degrees, 1e7)
    found = stdtrit(degrees, 1 - LEVEL / 2) * deviations
    rounded = half_widths > 0
    if rounded.any():
        found[rounded] = _limits_of_rounded(deviations[rounded], degrees[rounded], half_widths[rounded])
    return found


def _limits_of_rounded(deviations: np.ndarray, degrees: np.ndarray, half_widths: np.ndarray) -> np.ndarray:
    """`limits` by bisection, where half-widths are above 0."""
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    scale = np.maximum(deviations, half_widths * 1e-6)
    shifts = half_widths[:, None] * points
    low, high = np.zeros(len(scale)), half_widths + stdtrit(degrees, 1 - LEVEL / 2) * scale
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        above = stdtr(degrees[:, None], (shifts - middle[:, None]) / scale[:, None])
        # Both sides are alike, so one is enough; weights of the points sum to 2.
        too_low = above @ weights / 2 > LEVEL / 2
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    return (low + high) / 2
