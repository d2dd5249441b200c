"""Tables and figures, made from run records alone: no model is loaded and no number typed by hand."""
