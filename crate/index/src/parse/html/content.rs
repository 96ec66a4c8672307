//! Turns a page's elements into a choice: which hold its own text, and which are navigation and decoration.

use std::collections::HashSet;

use ego_tree::NodeId;
use scraper::ElementRef;

use super::attributes;
use crate::parse::Selector;

/// Where a page's own text stands.
pub(super) struct Content<'p> {
    /// The elements that hold it, in reading order.
    pub(super) roots: Vec<ElementRef<'p>>,
    /// Whether `data-pagefind-body` marks them. Where one page of a site has such a mark, those without count for nothing.
    pub(super) is_marked: bool,
    root_ids: HashSet<NodeId>,
    /// Elements around an `h1`.
    around_h1: HashSet<NodeId>,
    /// Elements around what doesn't fit into a line.
    around_blocks: HashSet<NodeId>,
    exclude: &'p [Selector],
}

/// Ids and classes that themes without landmarks give their main content; the first that only one element has counts.
const CONTENT_NAMES: [&str; 14] = [
    "main-content",
    "main",
    "content",
    "page-content",
    "post-content",
    "entry-content",
    "article-content",
    "article-body",
    "markdown-body",
    "docs-content",
    "doc-content",
    "body-content",
    "contents",
    "documentation",
];

/// Classes of what stands beside a text and is none of it.
const DECORATION: [&str; 20] = [
    "sidebar",
    "side-bar",
    "toc",
    "table-of-contents",
    "table-of-content",
    "breadcrumb",
    "breadcrumbs",
    "pagination",
    "pager",
    "navbar",
    "skip-link",
    "skip-to-content",
    "edit-this-page",
    "edit-page-link",
    "prev-next",
    "cookie-banner",
    "cookie-consent",
    // Hidden lines of code in mdBook, numbers of lines, and what only marks a heading.
    "boring",
    "linenos",
    "headerlink",
];

impl<'p> Content<'p> {
    /// Chooses below `top`: every `data-pagefind-body`, else `main`, else `role=main`, else the only `article`, else what
    /// a theme calls its content, else all of it.
    pub(super) fn find(top: ElementRef<'p>, exclude: &'p [Selector]) -> Self {
        let elements = || top.descendants().filter_map(ElementRef::wrap);
        let around_h1 = around(elements().filter(|element| element.value().name() == "h1"));
        let around_blocks = around(elements().filter(|element| {
            matches!(
                element.value().name(),
                "h1" | "h2"
                    | "h3"
                    | "h4"
                    | "h5"
                    | "h6"
                    | "table"
                    | "pre"
                    | "dl"
                    | "section"
                    | "article"
                    | "main"
            )
        }));
        let marked = marked(top);
        let is_marked = !marked.is_empty();
        let roots = if is_marked {
            marked
        } else {
            landmark(top).into_iter().collect()
        };
        Self {
            root_ids: roots.iter().map(|root| root.id()).collect(),
            roots,
            is_marked,
            around_h1,
            around_blocks,
            exclude,
        }
    }

    /// Whether an element holds no text of the page, wherever it stands.
    pub(super) fn is_skipped(&self, element: ElementRef<'_>) -> bool {
        let value = element.value();
        let by_name = match value.name() {
            "nav" | "footer" | "script" | "style" | "aside" | "noscript" | "template" | "svg"
            | "button" | "select" | "iframe" | "object" | "canvas" | "audio" | "video"
            | "textarea" | "dialog" | "form" | "head" | "title" => true,
            // A page's own header may hold its h1 (Hugo, Docusaurus); a site's header does not stand in main.
            "header" => {
                let in_content = || {
                    element
                        .ancestors()
                        .filter_map(ElementRef::wrap)
                        .any(is_content)
                };
                !(self.around_h1.contains(&element.id()) && in_content())
            }
            _ => false,
        };
        by_name
            || value
                .attr("hidden")
                .is_some_and(|hidden| !hidden.eq_ignore_ascii_case("until-found"))
            || value.attr("inert").is_some()
            || value.attr("aria-hidden") == Some("true")
            || attributes::ignore(element).is_some()
            || matches!(
                value.attr("role"),
                Some(
                    "navigation"
                        | "banner"
                        | "contentinfo"
                        | "search"
                        | "complementary"
                        | "doc-toc"
                )
            )
            || value.classes().any(|class| DECORATION.contains(&class))
            || self.is_excluded(element)
    }

    /// True if a cell holds headings, code or tables, as where a table only places the parts of a page.
    pub(super) fn lays_out(&self, cell: ElementRef<'_>) -> bool {
        self.around_blocks.contains(&cell.id())
    }

    /// Whether an element is one of the roots.
    pub(super) fn is_root(&self, element: ElementRef<'_>) -> bool {
        self.root_ids.contains(&element.id())
    }

    /// Whether the owner's selectors name an element.
    pub(super) fn is_excluded(&self, element: ElementRef<'_>) -> bool {
        self.exclude
            .iter()
            .any(|selector| selector.matches(element))
    }
}

/// The ids of everything that one of `elements` stands in; each is visited once, however deep they are.
fn around<'p>(elements: impl Iterator<Item = ElementRef<'p>>) -> HashSet<NodeId> {
    let mut around = HashSet::new();
    for element in elements {
        for above in element.ancestors() {
            if !around.insert(above.id()) {
                break;
            }
        }
    }
    around
}

/// Every `data-pagefind-body` that does not stand inside another.
fn marked(top: ElementRef<'_>) -> Vec<ElementRef<'_>> {
    let mut ids = HashSet::new();
    let mut marked = Vec::new();
    let elements = top.descendants().filter_map(ElementRef::wrap);
    for element in elements.filter(|element| element.attr("data-pagefind-body").is_some()) {
        if !element.ancestors().any(|above| ids.contains(&above.id())) {
            ids.insert(element.id());
            marked.push(element);
        }
    }
    marked
}

fn landmark(top: ElementRef<'_>) -> Option<ElementRef<'_>> {
    let elements = || top.descendants().filter_map(ElementRef::wrap);
    let named =
        |name: &'static str| elements().filter(move |element| element.value().name() == name);
    named("main")
        .find(|main| main.attr("hidden").is_none())
        .or_else(|| elements().find(|element| element.attr("role") == Some("main")))
        .or_else(|| only(named("article")))
        .or_else(|| {
            CONTENT_NAMES.iter().find_map(|name| {
                elements()
                    .find(|element| element.attr("id") == Some(name))
                    .or_else(|| {
                        only(elements().filter(|element| {
                            element.value().classes().any(|class| class == *name)
                        }))
                    })
            })
        })
        .or_else(|| named("body").next())
        .or(Some(top))
}

/// The only one there is.
fn only<'p>(mut found: impl Iterator<Item = ElementRef<'p>>) -> Option<ElementRef<'p>> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Whether an element is one that a page's own text stands in.
pub(super) fn is_content(element: ElementRef<'_>) -> bool {
    matches!(element.value().name(), "main" | "article")
        || element.attr("role") == Some("main")
        || element.attr("data-pagefind-body").is_some()
}
