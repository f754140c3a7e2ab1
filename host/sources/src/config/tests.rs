use super::*;

fn from_toml(text: &str) -> Result<Config, ConfigError> {
    Config::from_toml(text, Path::new("/home/me/.config/modelzoo/config.toml"))
}

#[test]
fn nothing_set_gives_the_defaults() {
    assert_eq!(from_toml("").unwrap(), Config::default());
    assert_eq!(Config::from_layers(&[], |_| None).unwrap(), Config::default());
}

#[test]
fn every_setting_can_be_written_in_a_file() {
    let config = from_toml(
        r#"
        model_zoo_manifest_paths = ["mine.json", "/srv/zoo.json"]
        default_device = "cuda:1"
        default_batch_size = 8
        default_memory = "2GiB"
        requirement_error_level = 1
        [mirrors]
        "https://github.com/" = "https://mirror.example/"
        [github]
        hosts = ["github.example.com"]
        [download]
        retries = 2
        stall_timeout_seconds = 7
        [plugin]
        stall_timeout_seconds = 0
        sandbox = "on"
        [trust]
        allow = ["acme"]
        deny = ["github.com/evil"]
        minimum_age_days = 14
        require_signature = true
        keys = { "acme/repo" = "RWQ" }
        "#,
    )
    .unwrap();
    assert_eq!(
        config.mirrors.rewrite("https://github.com/a/b"),
        "https://mirror.example/a/b"
    );
    assert_eq!(config.github.hosts, ["github.example.com"]);
    assert_eq!(config.download.retries, 2);
    assert_eq!(config.download.stall_timeout, Duration::from_secs(7));
    assert_eq!(config.plugin.stall_timeout, Duration::MAX);
    assert_eq!(config.plugin.sandbox, Sandbox::On);
    assert_eq!(config.trust.minimum_age_days, 14);
    assert!(config.trust.require_signature);
    assert_eq!(config.trust.keys["acme/repo"], "RWQ");
    assert_eq!(config.default_device, Device::Cuda(1));
    assert_eq!(config.default_batch_size.unwrap().get(), 8);
    assert_eq!(config.default_memory.unwrap().bytes(), 2 << 30);
    assert_eq!(config.requirement_error_level, 1);
    let expected = [
        Path::new("/home/me/.config/modelzoo/mine.json"),
        Path::new("/srv/zoo.json"),
    ];
    assert_eq!(config.model_zoo_manifest_paths, expected);
}

#[test]
fn an_unknown_key_is_refused_with_its_place_and_what_was_meant() {
    let error = from_toml("default_device = \"cpu\"\n\n[download]\n  retrys = 3\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("/home/me/.config/modelzoo/config.toml:4:3: unknown field `retrys`"),
        "{error}"
    );
    assert!(error.ends_with("(did you mean `retries`?)"), "{error}");
    let error = from_toml("zzz = 1").unwrap_err().to_string();
    assert!(
        error.contains(":1:1: unknown field `zzz`") && !error.contains("did you mean"),
        "{error}"
    );
}

#[test]
fn wrong_values_are_refused_with_their_place() {
    for (text, place, problem) in [
        ("default_batch_size = 0", ":1:22:", "nonzero"),
        (
            "default_device = \"gpu\"",
            ":1:18:",
            "must be auto, cpu, cuda:N or metal",
        ),
        (
            "default_memory = \"1MB\"",
            ":1:18:",
            "it is a size from 64MB on, such as 500MB or 2GiB",
        ),
        ("requirement_error_level = 3", ":1:27:", "expected 0, 1 or 2"),
        ("\n[mirrors]\nx = 1", ":3:5:", "expected a string"),
        ("default_device = ", ":1:", ""),
    ] {
        let error = from_toml(text).unwrap_err().to_string();
        assert!(
            error.contains(place) && error.contains(problem),
            "{text}: {error}"
        );
    }
}

#[test]
fn later_layers_win_but_cannot_loosen_the_trust_policy() {
    let folder = tempfile::tempdir().unwrap();
    let (system, user) = (folder.path().join("system.toml"), folder.path().join("user.toml"));
    let system_text = r#"
        default_device = "cpu"
        default_batch_size = 4
        [mirrors]
        "https://a/" = "https://system/"
        "https://b/" = "https://system/"
        [trust]
        deny = ["evil"]
        minimum_age_days = 10
        require_signature = true
        keys = { acme = "system" }
    "#;
    let user_text = r#"
        default_batch_size = 2
        [mirrors]
        "https://a/" = "https://user/"
        [trust]
        deny = ["worse"]
        minimum_age_days = 1
        require_signature = false
        keys = { acme = "user" }
    "#;
    std::fs::write(&system, system_text).unwrap();
    std::fs::write(&user, user_text).unwrap();
    let environment = |name: &str| (name == "MODELZOO_DEFAULT_DEVICE").then(|| "metal".into());
    let config = Config::from_layers(&[system, user], environment).unwrap();
    assert_eq!(config.default_device, Device::Metal);
    assert_eq!(config.default_batch_size.unwrap().get(), 2);
    assert_eq!(config.mirrors.rewrite("https://a/x"), "https://user/x");
    assert_eq!(config.mirrors.rewrite("https://b/x"), "https://system/x");
    assert_eq!(config.trust.deny, ["evil", "worse"]);
    assert_eq!(config.trust.minimum_age_days, 10);
    assert!(config.trust.require_signature);
    assert_eq!(config.trust.keys["acme"], "system");
}

#[test]
fn the_environment_is_typed_too() {
    let one = |name: &'static str, value: &'static str| {
        Config::from_layers(&[], move |asked| (asked == name).then(|| value.into()))
    };
    let hosts = one("MODELZOO_GITHUB_HOSTS", "github.example.com, ghe.corp")
        .unwrap()
        .github
        .hosts;
    assert_eq!(hosts, ["github.example.com", "ghe.corp"]);
    assert_eq!(one("MODELZOO_DOWNLOAD_RETRIES", "0").unwrap().download.retries, 0);
    let plugin = one("MODELZOO_PLUGIN_STALL_TIMEOUT_SECONDS", "90").unwrap().plugin;
    assert_eq!(plugin.stall_timeout, Duration::from_secs(90));
    let paths = one("MODELZOO_MODEL_ZOO_MANIFEST_PATHS", "/a.json")
        .unwrap()
        .model_zoo_manifest_paths;
    assert_eq!(paths, [Path::new("/a.json")]);
    assert_eq!(
        one("MODELZOO_DEFAULT_BATCH_SIZE", "").unwrap().default_batch_size,
        None
    );
    let memory = one("MODELZOO_DEFAULT_MEMORY", "500MB").unwrap().default_memory;
    assert_eq!(memory.unwrap().bytes(), 500_000_000);
    let error = one("MODELZOO_DEFAULT_BATCH_SIZE", "many")
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("the environment variable MODELZOO_DEFAULT_BATCH_SIZE is `many`: "),
        "{error}"
    );
}

#[test]
fn a_named_file_has_to_exist() {
    let error = Config::from_layers(&["/nowhere/config.toml".into()], |_| None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot read the configuration /nowhere/config.toml"
    );
}
