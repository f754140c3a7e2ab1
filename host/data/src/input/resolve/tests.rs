use super::*;
use modelzoo_base::error::Diagnose as _;
use tempfile::TempDir;

/// A folder with empty files of the given names.
fn folder_with(names: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for name in names {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("has a parent")).expect("writable");
        std::fs::write(path, b"").expect("writable");
    }
    folder
}

/// The relative names, in order.
fn names(inputs: &Inputs) -> Vec<String> {
    inputs
        .iter()
        .map(|file| file.expect("readable").relative_path.display().to_string())
        .collect()
}

fn resolve(folder: &TempDir, inputs: &[&str]) -> Result<Inputs, InputError> {
    let paths: Vec<_> = inputs.iter().map(|input| folder.path().join(input)).collect();
    Inputs::resolve(&paths, &MediaKind::ALL)
}

const PHOTOS: [&str; 8] = [
    "photos/b.JPG",
    "photos/a.png",
    "photos/a/2.jpeg",
    "photos/a/10.jpeg",
    "photos/notes.md",
    "photos/.hidden.jpg",
    "photos/.cache/x.jpg",
    "photos/clip.mp4",
];

#[test]
fn a_folder_gives_its_media_in_a_fixed_order() {
    let folder = folder_with(&PHOTOS);
    let inputs = resolve(&folder, &["photos"]).expect("there are pictures");
    assert_eq!(
        names(&inputs),
        ["a/10.jpeg", "a/2.jpeg", "a.png", "b.JPG", "clip.mp4"]
    );
    assert_eq!(inputs.count(), Some(5));
    let kinds: Vec<_> = inputs.iter().map(|file| file.expect("readable").kind).collect();
    assert_eq!(kinds[3..], [MediaKind::Image, MediaKind::Video]);

    let only_images =
        Inputs::resolve(&[folder.path().join("photos")], &[MediaKind::Image]).expect("pictures");
    assert_eq!(only_images.count(), Some(4));
}

#[test]
fn a_folder_whose_own_name_is_hidden_is_walked() {
    let folder = folder_with(&PHOTOS);
    assert_eq!(
        names(&resolve(&folder, &["photos/.cache"]).expect("a picture")),
        ["x.jpg"]
    );
}

#[test]
fn a_glob_gives_what_it_matches_below_its_fixed_part() {
    let folder = folder_with(&PHOTOS);
    assert_eq!(
        names(&resolve(&folder, &["photos/*"]).expect("matches")),
        ["a.png", "b.JPG", "clip.mp4"]
    );
    assert_eq!(
        names(&resolve(&folder, &["photos/**/*.jp*g"]).expect("matches")),
        ["a/10.jpeg", "a/2.jpeg"]
    );
    assert_eq!(
        names(&resolve(&folder, &["ph*/a/2.jpeg"]).expect("matches")),
        ["photos/a/2.jpeg"]
    );
}

#[test]
fn a_name_with_wildcards_that_exists_is_that_file() {
    let folder = folder_with(&["scan[1].png", "scan1.png"]);
    assert_eq!(
        names(&resolve(&folder, &["scan[1].png"]).expect("exists")),
        ["scan[1].png"]
    );
}

#[test]
fn files_are_named_below_the_folder_they_share() {
    let folder = folder_with(&PHOTOS);
    assert_eq!(
        names(&resolve(&folder, &["photos/a/2.jpeg"]).expect("exists")),
        ["2.jpeg"]
    );
    assert_eq!(
        names(&resolve(&folder, &["photos/b.JPG", "photos/a/2.jpeg", "photos/notes.md"]).expect("exist")),
        ["b.JPG", "a/2.jpeg", "notes.md"]
    );
}

#[test]
fn a_list_names_files_relative_to_itself_and_missing_ones_stay_in() {
    let folder = folder_with(&PHOTOS);
    std::fs::write(
        folder.path().join("photos/list.txt"),
        "b.JPG\r\n\n  a/2.jpeg \ngone.jpg\n../x/y.png\n",
    )
    .expect("writable");
    let inputs = resolve(&folder, &["photos/list.txt"]).expect("a list");
    assert_eq!(names(&inputs), ["b.JPG", "a/2.jpeg", "gone.jpg", "x/y.png"]);
    let first = inputs.iter().next().expect("a file").expect("readable");
    assert_eq!(first.path, folder.path().join("photos/b.JPG"));

    std::fs::write(folder.path().join("bad.txt"), b"ok.jpg\n\xff\xfe\nalso.jpg\n").expect("writable");
    let items: Vec<_> = resolve(&folder, &["bad.txt"]).expect("a list").iter().collect();
    assert_eq!(items.len(), 3);
    assert!(
        matches!(items[1], Err(InputError::InvalidList { line: 2, .. })),
        "{:?}",
        items[1]
    );
}

#[test]
fn what_is_not_there_is_said_with_suggestions() {
    let folder = folder_with(&PHOTOS);
    let error = resolve(&folder, &["photoz"]).expect_err("missing");
    assert!(
        error.to_string().ends_with("photoz: no such file or folder"),
        "{error}"
    );
    let hint = error.next_step().expect("a hint").to_string();
    assert!(
        hint.starts_with("did you mean ") && hint.ends_with("photos?"),
        "{hint}"
    );
    assert_eq!(
        resolve(&folder, &["quite different"])
            .expect_err("missing")
            .next_step(),
        None
    );
}

#[test]
fn inputs_without_media_are_errors() {
    let folder = folder_with(&["texts/a.md", "empty.txt"]);
    for (input, message) in [
        ("texts", "no pictures or videos in this folder"),
        ("texts/*.jpg", "no pictures or videos match this glob"),
        ("empty.txt", "no pictures or videos in this list"),
    ] {
        let error = resolve(&folder, &[input]).expect_err("nothing there");
        assert!(error.to_string().ends_with(message), "{error}");
    }
    assert!(matches!(resolve(&folder, &[]), Err(InputError::NoInput)));
    let error = resolve(&folder, &["[a"]).expect_err("not well formed");
    assert!(matches!(error, InputError::InvalidGlob { .. }), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_back_up_is_reported_and_the_rest_is_found() {
    let folder = folder_with(&["photos/a/1.jpg", "photos/z.jpg"]);
    std::os::unix::fs::symlink(folder.path().join("photos"), folder.path().join("photos/a/loop"))
        .expect("a link");
    std::os::unix::fs::symlink("nowhere", folder.path().join("photos/dangling.jpg")).expect("a link");
    let items: Vec<_> = resolve(&folder, &["photos"]).expect("pictures").iter().collect();
    let found: Vec<_> = items
        .iter()
        .flatten()
        .map(|file| file.relative_path.display().to_string())
        .collect();
    assert_eq!(found, ["a/1.jpg", "dangling.jpg", "z.jpg"]);
    assert_eq!(items.iter().filter(|item| item.is_err()).count(), 1);
}

#[cfg(unix)]
#[test]
fn what_the_system_does_not_let_be_seen_is_not_told_as_missing() {
    let folder = folder_with(&["a.jpg"]);
    std::os::unix::fs::symlink("circle", folder.path().join("circle")).expect("writable");
    let told = |name: &str| resolve(&folder, &[name]).expect_err("cannot be had");
    assert!(matches!(told("circle"), InputError::Io { .. }));
    assert!(matches!(told("circle/b.jpg"), InputError::Io { .. }));
    assert!(matches!(told("a.jpg/b.jpg"), InputError::NotFound { .. }));
    assert!(matches!(told("b.jpg"), InputError::NotFound { .. }));
}
