"""Colours, fonts and layout of the demo. System fonts only: the page asks no other server for anything."""

import gradio as gr

THEME = gr.themes.Default(
    primary_hue="orange",
    neutral_hue="stone",
    radius_size="lg",
    font=("system-ui", "sans-serif"),
    font_mono=("ui-monospace", "monospace"),
).set(
    body_text_color_subdued="*neutral_500",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_dark="*primary_600",
    button_primary_background_fill_hover_dark="*primary_700",
)

# Gradio gives rules outside media queries the higher specificity, so what differs between the two layouts is in a query each.
CSS = """
#header h1 { margin: 0; font-size: clamp(21px, 5.5vw, 28px); }
#privacy p { color: var(--body-text-color-subdued); font-size: var(--text-sm); text-align: center; }
.gradio-container { overflow: clip !important; }  /* hidden, the default, would keep anything from sticking */
.fillable { max-width: 1440px !important; padding: 16px clamp(12px, 2.5vw, 32px) !important; }
"""
