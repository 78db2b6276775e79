//! Statistics of evenly spaced series: what is in a course of time that chance alone does not put there.
