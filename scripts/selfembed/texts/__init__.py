"""Reading, cleaning, labelling and splitting of corpora."""
