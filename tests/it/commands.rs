//! Every command besides `reconcile`, and what all of them have in common: arguments, environment, pipes, signals.
