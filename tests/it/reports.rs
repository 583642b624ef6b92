//! What a report says and how: its keys, its sentences, its three formats.
