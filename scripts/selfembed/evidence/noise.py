"""Variances over seeds, and limits of differences that are due to noise.

The variance over seeds of a number is estimated from its seeds and those of similar numbers by empirical Bayes (Smyth
2004, "Linear models and empirical Bayes methods for assessing differential expression in microarray experiments").
"""

import numpy as np
from scipy.special import betaln, stdtr, stdtrit

# Probability that a difference due to noise exceeds its limit.
LEVEL = 0.05
# Grid of prior degrees of freedom and prior variances (relative to the mean).
PRIOR_DEGREES = np.geomspace(1, 128, 15)
PRIOR_VARIANCES = np.geomspace(0.001, 12, 70)
# Iterations of the bisection, and quadrature points for the rounding error.
BISECTIONS = 32
POINTS = 24


def shared_variances(variances: np.ndarray, degrees: np.ndarray, models: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Shrink the variances of numbers of one kind towards their common value.

    The prior of the true variances is a scaled inverse chi-squared distribution, whose two parameters are averaged over
    their likelihood. Estimates that differ no more than expected from their degrees of freedom are shrunk strongly;
    estimates that differ more, as in a sweep with runs that diverge, are nearly kept.

    Args:
        variances: estimates, shape (numbers,); any value where `degrees` is 0.
        degrees: degrees of freedom of each estimate, shape (numbers,); not all 0.
        models: index of the model of each number, shape (numbers,).

    Returns the variances and their degrees of freedom, shapes (numbers,); those of the prior where `degrees` is 0.
    """
    known = degrees > 0
    mean = np.average(variances[known], weights=degrees[known])
    most = combined_degrees(degrees, models)
    if mean == 0:
        return np.zeros(len(variances)), np.full(len(variances), most)
    nu = degrees[known]
    # The likelihood is infinite for a variance of 0 from two seeds.
    relative = np.maximum(variances[known] / mean, 1e-6)
    prior = PRIOR_DEGREES[:, None, None]
    scaled = relative / PRIOR_VARIANCES[None, :, None]
    # Log density of F(nu, prior), the distribution of an estimate divided by the prior variance.
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


def combined_degrees(degrees: np.ndarray, models: np.ndarray) -> float:
    """Return the total degrees of freedom of several numbers of several models.

    Steps, layers and tasks of one model share its seeds, so their correlation is unknown. n numbers of a model count as
    √n, between 1 (perfectly correlated) and n (independent).
    """
    numbers = np.bincount(models, weights=degrees > 0)
    most = np.zeros(len(numbers))
    np.maximum.at(most, models, degrees)
    return float((most * np.sqrt(numbers)).sum())


def effective_degrees(estimated: np.ndarray, degrees: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Degrees of freedom of the sum of an estimated and a known variance (Welch and Satterthwaite).

    All arrays have the shape (numbers,). The result is infinite where the estimated variance is 0.
    """
    share = np.divide(estimated, estimated + known, out=np.zeros_like(known), where=estimated + known > 0)
    return np.divide(degrees, share**2, out=np.full_like(known, np.inf), where=share > 0)


def limits(deviations: np.ndarray, degrees: np.ndarray, half_widths: np.ndarray) -> np.ndarray:
    """Return the limits that absolute differences exceed with probability `LEVEL`, shape (numbers,).

    A difference is the sum of a scaled t-distributed variable and a rounding error, uniform within a half-width.

    Args:
        deviations: scales of the t-distributions, shape (numbers,).
        degrees: degrees of freedom, shape (numbers,); infinite for a normal distribution.
        half_widths: half-widths of the rounding intervals, shape (numbers,); 0 for exact numbers.
    """
    # `stdtr` does not accept infinite degrees of freedom; 1e7 equals the normal distribution closely.
    degrees = np.minimum(degrees, 1e7)
    found = stdtrit(degrees, 1 - LEVEL / 2) * deviations
    rounded = half_widths > 0
    if rounded.any():
        found[rounded] = limits_with_rounding(deviations[rounded], degrees[rounded], half_widths[rounded])
    return found


def limits_with_rounding(deviations: np.ndarray, degrees: np.ndarray, half_widths: np.ndarray) -> np.ndarray:
    """Compute `limits` by bisection for half-widths above 0."""
    points, weights = np.polynomial.legendre.leggauss(POINTS)
    scale = np.maximum(deviations, half_widths * 1e-6)
    shifts = half_widths[:, None] * points
    low, high = np.zeros(len(scale)), half_widths + stdtrit(degrees, 1 - LEVEL / 2) * scale
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        above = stdtr(degrees[:, None], (shifts - middle[:, None]) / scale[:, None])
        # The distribution is symmetric, so one tail is enough; the quadrature weights sum to 2.
        too_low = above @ weights / 2 > LEVEL / 2
        low, high = np.where(too_low, middle, low), np.where(too_low, high, middle)
    return (low + high) / 2
