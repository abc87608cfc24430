"""Polynomials and autocorrelation of numpy and scipy. The window moves on by a point with each call."""

import data
import numpy as np
import scipy.signal
from clock import Bench, versions


def run(directory):
    versions("numpy", "scipy")
    bench = Bench(data.sizes(directory))
    series = data.read(directory, "series")
    points = data.POINTS

    def window(i):
        return series[i % points : i % points + points]

    x = np.linspace(-1, 1, points)
    bench.time("trend.cubic", "numpy.polyfit", lambda i: np.polyfit(x, window(i), 3))
    bench.time("trend.cubic_errors", "numpy.polyfit", lambda i: np.polyfit(x, window(i), 3, cov=True))
    inverse = np.linalg.pinv(np.vander(x, 4))
    note = "of one window length that was prepared for"
    bench.time("trend.cubic", "numpy, cached pseudo-inverse", lambda i: inverse @ window(i), note)

    def scipy_fft(i):
        centred = window(i) - window(i).mean()
        r = scipy.signal.correlate(centred, centred, method="fft")[points - 1 :]
        return r / r[0]

    def numpy_direct(i):
        centred = window(i) - window(i).mean()
        r = np.correlate(centred, centred, "full")[points - 1 :]
        return r / r[0]

    bench.time("trend.autocorrelation", "scipy", scipy_fft)
    bench.time("trend.autocorrelation", "numpy", numpy_direct)
