//! The icons: line drawings in the colour of the surrounding text.

use leptos::prelude::*;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is what its name says")]
pub enum Shape {
    Cube,
    Check,
    Cross,
    Exclaim,
    Question,
    Dots,
    Search,
    Plus,
    People,
    Arrow,
    Swap,
    Refresh,
    Undo,
    Sun,
    Moon,
    Screen,
    Down,
    Out,
    Copy,
    Chevron,
    Above,
    Below,
    List,
    Warning,
    Stop,
    Pause,
    Play,
    Pin,
    Trash,
    Lock,
    Unlock,
    Clock,
    Box,
    Machine,
    Queue,
    PullRequest,
    Keys,
    Key,
    Shield,
    Pulse,
}

impl Shape {
    /// All icons, for the design page.
    #[cfg(debug_assertions)]
    pub const ALL: &[Self] = &[
        Self::Cube,
        Self::Check,
        Self::Cross,
        Self::Exclaim,
        Self::Question,
        Self::Dots,
        Self::Search,
        Self::Plus,
        Self::People,
        Self::Arrow,
        Self::Swap,
        Self::Refresh,
        Self::Undo,
        Self::Sun,
        Self::Moon,
        Self::Screen,
        Self::Down,
        Self::Out,
        Self::Copy,
        Self::Chevron,
        Self::Above,
        Self::Below,
        Self::List,
        Self::Warning,
        Self::Stop,
        Self::Pause,
        Self::Play,
        Self::Pin,
        Self::Trash,
        Self::Lock,
        Self::Unlock,
        Self::Clock,
        Self::Box,
        Self::Machine,
        Self::Queue,
        Self::PullRequest,
        Self::Keys,
        Self::Key,
        Self::Shield,
        Self::Pulse,
    ];

    const fn path(self) -> &'static str {
        match self {
            Self::Cube => "M12 2.5 21 7.5v9L12 21.5 3 16.5v-9zM12 12l9-4.5M12 12v9.5M12 12 3 7.5",
            Self::Check => "m5 12.5 4.5 4.5L19 7.5",
            Self::Cross => "M6 6l12 12M18 6 6 18",
            Self::Exclaim => "M12 4v10M12 19.5h.01",
            Self::Question => "M8 8.5a4 4 0 1 1 6 3.5c-1.3.8-2 1.6-2 3M12 19.5h.01",
            Self::Dots => "M5 12h.01M12 12h.01M19 12h.01",
            Self::Search => "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM20 20l-4-4",
            Self::Plus => "M12 5v14M5 12h14",
            Self::People => {
                "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM2 21c0-4 3-6 7-6s7 2 7 6M17 3.5a4 4 0 0 1 0 7M18 15c3 .5 4.5 2.5 4.5 6"
            }
            Self::Arrow => "M4 12h16M14 6l6 6-6 6",
            Self::Swap => "M4 8h15M15 4l4 4-4 4M20 16H5M9 12l-4 4 4 4",
            Self::Refresh => "M20 11a8 8 0 0 0-14-4.5L3 9M3 4v5h5M4 13a8 8 0 0 0 14 4.5l3-2.5M21 20v-5h-5",
            Self::Undo => "M8 5 3 10l5 5M3 10h11a6 6 0 0 1 0 12h-3",
            Self::Sun => {
                "M12 17a5 5 0 1 0 0-10 5 5 0 0 0 0 10zM12 1v2M12 21v2M1 12h2M21 12h2M4 4l1.5 1.5M18.5 18.5 20 20M4 20l1.5-1.5M18.5 5.5 20 4"
            }
            Self::Moon => "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
            Self::Screen => "M3 4h18v12H3zM8 20h8M12 16v4",
            Self::Down => "M12 4v12M6 11l6 6 6-6M4 21h16",
            Self::Out => "M14 4h6v6M20 4 10 14M18 14v6H4V6h6",
            Self::Copy => "M9 9h11v11H9zM5 15H4V4h11v1",
            Self::Chevron => "m9 5 7 7-7 7",
            Self::Above => "m5 15 7-7 7 7",
            Self::Below => "m5 9 7 7 7-7",
            Self::List => "M4 6h16M4 12h16M4 18h16",
            Self::Warning => "M12 3.5 22 20.5H2zM12 10v5M12 18h.01",
            Self::Stop => "M7 7h10v10H7z",
            Self::Pause => "M8 5v14M16 5v14",
            Self::Play => "M7 4.5v15l12-7.5z",
            Self::Pin => "M9 3h6l-1 7 4 4H6l4-4zM12 14v7",
            Self::Trash => "M4 6h16M9 6V4h6v2M6 6l1 14h10l1-14M10 10v6M14 10v6",
            Self::Lock => "M6 11h12v9H6zM8 11V8a4 4 0 0 1 8 0v3",
            Self::Unlock => "M6 11h12v9H6zM8 11V7a4 4 0 0 1 7.5-2",
            Self::Clock => "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 7v5l3 2",
            Self::Box => "M3 4h18v5H3zM5 9v11h14V9M10 13h4",
            Self::Machine => "M3 5h18v6H3zM3 13h18v6H3zM7 8h.01M7 16h.01",
            Self::Queue => "M4 5h16v4H4zM4 13h10M4 18h10",
            Self::PullRequest => {
                "M6 9a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM6 21a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM6 9v6M18 21a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM18 15V9a3 3 0 0 0-3-3h-3M14.5 3.5 12 6l2.5 2.5"
            }
            Self::Keys => "M3 6h18v12H3zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
            Self::Key => "M7.5 16.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9zM12 12h9.5v4M17 12v3",
            Self::Shield => "M12 2.5 20 5.5V11c0 5-3.2 8.6-8 10.5C7.2 19.6 4 16 4 11V5.5z",
            Self::Pulse => "M2.5 12.5h4l3-8 5 15 3-7h4",
        }
    }
}

/// An icon, hidden from screen readers: the text beside it carries the meaning.
#[component]
pub fn Icon(
    shape: Shape,
    /// Whether it rotates, as a sign of progress.
    #[prop(optional, into)]
    is_spinning: Signal<bool>,
) -> impl IntoView {
    view! {
        <svg class="i" class:spin=is_spinning viewBox="0 0 24 24" aria-hidden="true">
            <path d=shape.path()></path>
        </svg>
    }
}
