//! Diagnostics as text, by the renderer of rustc and Cargo.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Annotation, Diagnostic};

impl Diagnostic {
    /// For a terminal, with colours.
    pub fn render_styled(&self) -> String {
        self.render(&Renderer::styled())
    }

    /// For a file or a pipe.
    pub fn render_plain(&self) -> String {
        self.render(&Renderer::plain())
    }

    fn render(&self, renderer: &Renderer) -> String {
        let mut group = Group::with_title(Level::ERROR.primary_title(self.title.as_str()));
        for (index, annotation) in self.annotations.iter().enumerate() {
            group = group.element(snippet(annotation, index == 0));
        }
        for note in &self.notes {
            group = group.element(Level::NOTE.message(note.as_str()));
        }
        for help in &self.helps {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        renderer.render(&[group])
    }
}

fn snippet(annotation: &Annotation, main: bool) -> Snippet<'_, annotate_snippets::Annotation<'_>> {
    let kind = if main {
        AnnotationKind::Primary
    } else {
        AnnotationKind::Context
    };
    let mark = kind.span(annotation.span.range());
    let mark = if annotation.label.is_empty() {
        mark
    } else {
        mark.label(annotation.label.as_str())
    };
    let source = annotation.span.source();
    Snippet::source(source.text.as_str())
        .path(source.name.as_str())
        .annotation(mark)
}

#[cfg(test)]
mod tests {
    use crate::{Diagnostic, Source, Span};

    #[test]
    fn the_source_line_is_shown_with_a_caret() {
        let source = Source::new("conf/model/mlp.yaml", "name: mlp\nactivaton: relu\n");
        let diagnostic = Diagnostic::error("`model.activaton` is not a key of `model`")
            .at(Span::new(&source, 10..19), "unknown key")
            .help("did you mean `activation`?");
        let text = diagnostic.render_plain();
        for part in [
            "error: `model.activaton` is not a key of `model`",
            "conf/model/mlp.yaml:2:1",
            "activaton: relu",
            "^^^^^^^^^ unknown key",
            "help: did you mean `activation`?",
        ] {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
    }
}
