"""What is to be seen on a figure."""

from matplotlib.text import Text

from ae_cluster.figures import in_style


def texts_of(figure):
    """Every text there is to be seen, as drawn: dollars no longer escaped."""
    with in_style():
        figure.draw_without_rendering()
    found = figure.findobj(Text)
    return [t.get_text().replace(r"\$", "$") for t in found if t.get_visible()]
