//! Files on the Hugging Face hub.
use url::Url;

/// The URL of `file` in the repository `repo` (`owner/name`, or `datasets/owner/name`) at `revision`: a branch, tag or
/// commit, `main` by default. As the hub's own client spells it; `HF_TOKEN` is sent there.
pub fn hugging_face_url(repo: &str, file: &str, revision: Option<&str>) -> String {
    // A branch's slashes are part of one segment, as the hub wants it.
    let segments = repo
        .split('/')
        .chain(["resolve", revision.unwrap_or("main")])
        .chain(file.split('/'))
        .filter(|segment| !segment.is_empty());
    let mut url = Url::parse("https://huggingface.co").unwrap_or_else(|_| unreachable!("a constant URL"));
    if let Ok(mut path) = url.path_segments_mut() {
        path.extend(segments);
    }
    url.into()
}

#[cfg(test)]
mod tests {
    use super::hugging_face_url;

    #[test]
    fn spells_the_url_as_the_hub_does() {
        assert_eq!(
            hugging_face_url("timm/resnet18.a1_in1k", "model.safetensors", None),
            "https://huggingface.co/timm/resnet18.a1_in1k/resolve/main/model.safetensors"
        );
        assert_eq!(
            hugging_face_url("u/r", "onnx/a b#1?.onnx", Some("refs/pr/1")),
            "https://huggingface.co/u/r/resolve/refs%2Fpr%2F1/onnx/a%20b%231%3F.onnx"
        );
    }

    #[test]
    fn dots_cannot_leave_the_repository() {
        assert_eq!(
            hugging_face_url("u/r", "../../../x", None),
            "https://huggingface.co/u/r/resolve/main/x"
        );
    }
}
