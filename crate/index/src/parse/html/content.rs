//! Separates a page's own text from navigation and decoration.

use std::collections::HashSet;

use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node};

use super::kinds::{
    in_quotation, is_fields_only, is_hidden, is_menu, is_no_text, is_note, is_panel, is_prose,
    opened,
};
use super::{attributes, marks};
use crate::parse::Selector;

/// Where a page's own text is.
pub(super) struct Content<'p> {
    /// The elements that hold it, in reading order.
    pub(super) roots: Vec<ElementRef<'p>>,
    /// True if `data-pagefind-body` marks them. If one page of a site has this mark, pages without it are ignored.
    pub(super) is_marked: bool,
    /// True if nothing sets the text apart from its surroundings, so the whole body is read.
    is_whole: bool,
    root_ids: HashSet<NodeId>,
    /// Ancestors of elements that don't fit on a line.
    around_blocks: HashSet<NodeId>,
    /// Ancestors of text that is more than a field's name.
    around_prose: HashSet<NodeId>,
    /// Ancestors of menus.
    around_nav: HashSet<NodeId>,
    /// Ids of elements that a control elsewhere on the page opens.
    opened: HashSet<&'p str>,
    seen_words: marks::SeenWords,
    exclude: &'p [Selector],
}

/// Why an element contributes no text to the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skip {
    /// It is not text, or belongs to the site around the page.
    Silent,
    /// It may be text, so the build reports that it was skipped.
    Told,
}

/// Ids and classes that themes without landmarks give their main content; the first name that only one element has counts.
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

/// The names among these that themes also give to a part of a page, such as the top of the front page.
const PART_NAMES: [&str; 4] = ["main", "content", "contents", "documentation"];

/// Classes of elements next to a text that are not part of it.
const DECORATION: [&str; 15] = [
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
];

impl<'p> Content<'p> {
    /// Searches below `top`: every `data-pagefind-body`, else `main`, else `role=main`, else the only `article`, else
    /// the element that a theme calls its content, else all of it.
    pub(super) fn find(top: ElementRef<'p>, exclude: &'p [Selector]) -> Self {
        let elements = || top.descendants().filter_map(ElementRef::wrap);
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
            is_whole: !is_marked
                && roots
                    .iter()
                    .any(|root| matches!(root.value().name(), "body" | "html")),
            root_ids: roots.iter().map(|root| root.id()).collect(),
            roots,
            is_marked,
            around_blocks,
            around_prose: around(elements().filter(|element| is_prose(*element))),
            around_nav: around(elements().filter(|element| element.value().name() == "nav")),
            opened: opened(top),
            seen_words: marks::SeenWords::default(),
            exclude,
        }
    }

    /// Takes all of `top`: everything on a Markdown page is its text, whatever its elements are called.
    pub(super) fn all(top: ElementRef<'p>, exclude: &'p [Selector]) -> Self {
        Self {
            roots: vec![top],
            root_ids: HashSet::from([top.id()]),
            is_marked: false,
            is_whole: false,
            ..Self::find(top, exclude)
        }
    }

    /// Why an element contributes no text to the page; `None` if it does.
    pub(super) fn skip(&self, element: ElementRef<'_>) -> Option<Skip> {
        if attributes::ignore(element).is_some()
            || self.is_excluded(element)
            || is_no_text(element)
            || marks::is_line_numbers(element)
            || marks::is_repeat(element, &self.seen_words)
            || marks::is_spoken_caption(element)
            || marks::is_second_formula(element)
        {
            return Some(Skip::Silent);
        }
        match element.value().name() {
            "nav" => return Some(Skip::Silent),
            "footer" if !in_quotation(element) => return Some(Skip::Silent),
            "form" if !self.around_prose.contains(&element.id()) || is_fields_only(element) => {
                return Some(Skip::Told);
            }
            _ => {}
        }
        // Content that a site marks for Pagefind is read as Pagefind reads it.
        if self.is_marked {
            return None;
        }
        self.skip_unmarked(element)
    }

    fn skip_unmarked(&self, element: ElementRef<'_>) -> Option<Skip> {
        let value = element.value();
        let name = value.name();
        if is_hidden(element) && !marks::is_formula(element) && !self.can_be_opened(element) {
            return Some(Skip::Told);
        }
        let is_block = matches!(name, "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6");
        if value.attr("aria-hidden") == Some("true")
            && !is_block
            && !marks::is_formula(element)
            && !self.can_be_opened(element)
        {
            return Some(Skip::Silent);
        }
        let role = value.attr("role").unwrap_or("");
        let is_beside = name == "aside"
            || role == "complementary"
            || value
                .classes()
                .any(|class| matches!(class, "sidebar" | "side-bar"));
        match name {
            "select" => return Some(Skip::Silent),
            "a" if is_skip_link(element) => return Some(Skip::Silent),
            "dialog" if self.is_whole => return Some(Skip::Told),
            // A site's header is never inside its text.
            "header" if !self.is_in_content(element) => {
                let is_menu = self.around_nav.contains(&element.id());
                return Some(if is_menu { Skip::Silent } else { Skip::Told });
            }
            _ if is_beside => {
                if self.around_nav.contains(&element.id()) || is_menu(element) {
                    return Some(Skip::Silent);
                }
                if !self.is_in_content(element) && !is_note(element) {
                    return Some(Skip::Told);
                }
            }
            _ => {}
        }
        let is_around = matches!(
            role,
            "navigation" | "banner" | "contentinfo" | "search" | "doc-toc"
        );
        (is_around || value.classes().any(|class| DECORATION.contains(&class)))
            .then_some(Skip::Silent)
    }

    /// True if an element is inside the page's known text, and not just somewhere in its body.
    fn is_in_content(&self, element: ElementRef<'_>) -> bool {
        !self.is_whole
            || element
                .ancestors()
                .filter_map(ElementRef::wrap)
                .any(|above| is_content(above) || above.value().name() == "section")
    }

    /// True if a hidden element is a tab, or another part that readers open.
    fn can_be_opened(&self, element: ElementRef<'_>) -> bool {
        let value = element.value();
        value.attr("role") == Some("tabpanel")
            || value.attr("id").is_some_and(|id| self.opened.contains(id))
            || value.name() == "dialog"
            || value.classes().any(is_panel)
            || element
                .parent()
                .and_then(ElementRef::wrap)
                .is_some_and(|parent| parent.value().name() == "details")
    }

    /// True if a cell contains headings, code or tables, as in a table used for layout.
    pub(super) fn lays_out(&self, cell: ElementRef<'_>) -> bool {
        self.around_blocks.contains(&cell.id())
    }

    /// True if an element is one of the roots.
    pub(super) fn is_root(&self, element: ElementRef<'_>) -> bool {
        self.root_ids.contains(&element.id())
    }

    /// True if the owner's selectors name an element.
    pub(super) fn is_excluded(&self, element: ElementRef<'_>) -> bool {
        self.exclude
            .iter()
            .any(|selector| selector.matches(element))
    }
}

/// True for a skip link, which jumps past the menus for people who can't see past them.
fn is_skip_link(link: ElementRef<'_>) -> bool {
    let value = link.value();
    value.attr("href").is_some_and(|href| href.starts_with('#'))
        && value
            .classes()
            .any(|class| class.to_ascii_lowercase().contains("skip"))
}

/// The ids of all ancestors of `elements`; each is visited once, at any depth.
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

/// Every `data-pagefind-body` that is not inside another.
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
        .or_else(|| named_content(top))
        .or_else(|| named("body").next())
        .or(Some(top))
}

/// The element that a theme calls its content, outside menus.
fn named_content(top: ElementRef<'_>) -> Option<ElementRef<'_>> {
    let outside: Vec<ElementRef<'_>> = outside_menus(top).filter_map(ElementRef::wrap).collect();
    let by_class = |name: &str| {
        let mut classed = outside
            .iter()
            .copied()
            .filter(|element| element.value().classes().any(|class| class == name));
        only(&mut classed)
            .filter(|content| !PART_NAMES.contains(&name) || holds_most(*content, top))
    };
    CONTENT_NAMES.iter().find_map(|name| {
        outside
            .iter()
            .copied()
            .find(|element| element.attr("id") == Some(name))
            .or_else(|| by_class(name))
    })
}

/// True if at least half of the text below `top` is in `content`. The names of links don't count, because a side bar
/// may have any number of them.
fn holds_most(content: ElementRef<'_>, top: ElementRef<'_>) -> bool {
    let n_letters = |element| -> usize {
        outside_menus(element)
            .map(|node| match node.value() {
                Node::Text(text) => text.chars().filter(|c| c.is_alphanumeric()).count(),
                _ => 0,
            })
            .sum()
    };
    2 * n_letters(content) >= n_letters(top)
}

/// Everything below `top` that is not in a menu, at the edge of the page, or in a link with only words.
fn outside_menus(top: ElementRef<'_>) -> impl Iterator<Item = NodeRef<'_, Node>> {
    let mut skipped = None;
    top.traverse().filter_map(move |edge| match edge {
        Edge::Open(node) if skipped.is_none() => {
            let is_skipped = ElementRef::wrap(node).is_some_and(|element| {
                is_no_text(element)
                    || matches!(
                        element.value().name(),
                        "nav" | "header" | "footer" | "aside" | "button" | "select"
                    )
                    || is_link_of_words(element)
            });
            if is_skipped {
                skipped = Some(node.id());
            }
            (!is_skipped).then_some(node)
        }
        Edge::Close(node) if skipped == Some(node.id()) => {
            skipped = None;
            None
        }
        _ => None,
    })
}

/// Maximum nodes examined to tell a link with only words from a card that is a link as a whole.
const MAX_LINK_NODES: usize = 50;

fn is_link_of_words(element: ElementRef<'_>) -> bool {
    element.value().name() == "a"
        && !element
            .descendants()
            .take(MAX_LINK_NODES)
            .filter_map(ElementRef::wrap)
            .any(|inner| {
                matches!(
                    inner.value().name(),
                    "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "p" | "article"
                )
            })
}

/// The only item; `None` if there are none or several.
fn only<'p>(mut found: impl Iterator<Item = ElementRef<'p>>) -> Option<ElementRef<'p>> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// True if an element marks a page's own text.
pub(super) fn is_content(element: ElementRef<'_>) -> bool {
    matches!(element.value().name(), "main" | "article")
        || element.attr("role") == Some("main")
        || element.attr("data-pagefind-body").is_some()
}
