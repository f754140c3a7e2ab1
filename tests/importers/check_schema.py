"""jsonschema reads the published schema of manifests: real ones are valid, and what authors get wrong is not."""

import copy
import json
from pathlib import Path

from jsonschema import Draft202012Validator

ROOT = Path(__file__).resolve().parents[2]

WHOLE = {
    "$schema": "https://example.org/schema",
    "name": "acme/zoo",
    "url": "https://github.com/acme/zoo",
    "artifacts": {
        "key": "RWT2+7uwVniYQSBQnn2mICDQ+WuSxhwuOevsNkFcXBYbVJSDuXZi2X4F",
        "url": "https://example.org/{tag}/{name}-{target}-{variant}.tar.gz",
        "builds": [{"target": "x86_64-unknown-linux-gnu", "variant": "cpu", "sha256": "0" * 64, "size_bytes": 3}],
    },
    "models": [
        {
            "base_name": "acme/net-1.1",
            "base_filename": "weights/net.bin",
            "version": "1.1",
            "license": "MIT, Apache-2.0",
            "tags": ["a"],
            "size_bytes": 12,
            "date_added": "2022-04-12 17:49:51",
            "x-colour": "blue",
            "requirements": {
                "packages": "torch>=1,<2",
                "cpu": {"support": True, "packages": ["x"]},
                "gpu": {"support": None, "cuda_version": ">=11", "recommended": True},
                "modelzoo": {"min_api_version": "0.1", "targets": [], "features": ["cuda"], "system_libraries": []},
            },
            "manager": {
                "type": "modelzoo.ModelManager",
                "config": {"url": ["https://a/x.zip", "https://b/x.zip"], "sha256": "0" * 64, "extract_archive": True},
            },
            "default_deployment_config_dict": {"type": "a.b.C", "config": {"x": 1}},
            "training_data": [{"name": "COCO", "url": "https://cocodataset.org"}],
        },
        {"base_name": "n", "manager": {"type": "acme.Manager", "config": {"anything": 1}}, "version": None},
    ],
}

MODEL, CONFIG, BUILD = ["models", 0], ["models", 0, "manager", "config"], ["artifacts", "builds", 0]

# Where a mistake is, and what stands there.
MISTAKES = [
    (["models"], {}),
    (["models"], []),
    (["model"], []),
    (MODEL + ["base_name"], None),
    (MODEL + ["base_name"], ""),
    (MODEL + ["base_name"], "a@1"),
    (MODEL + ["base_name"], " a"),
    (MODEL + ["base_filname"], "a"),
    (MODEL + ["licence"], "MIT"),
    (MODEL + ["base_filename"], "../x"),
    (MODEL + ["base_filename"], "/etc/x"),
    (MODEL + ["base_filename"], "a//b"),
    (MODEL + ["version"], 1),
    (MODEL + ["version"], "1@2"),
    (MODEL + ["tags"], "a"),
    (MODEL + ["size_bytes"], "12"),
    (MODEL + ["size_bytes"], -1),
    (MODEL + ["size_bytes"], 1.5),
    (MODEL + ["date_added"], "last week"),
    (MODEL + ["date_added"], "2025-13-01"),
    (MODEL + ["requirements", "modelzoo", "min_api_version"], "new"),
    (MODEL + ["requirements", "modelzoo", "target"], []),
    (MODEL + ["requirements", "cpu", "support"], "yes"),
    (MODEL + ["requirements", "packages"], {"a": 1}),
    (MODEL + ["manager"], {"config": {}}),
    (MODEL + ["training_data"], [{"url": "x"}]),
    (MODEL + ["default_deployment_config_dict"], {"config": {}}),
    (CONFIG + ["sha256"], "0" * 63),
    (CONFIG + ["sha265"], "0" * 64),
    (CONFIG + ["url"], 1),
    (CONFIG + ["file"], "../x"),
    (CONFIG + ["repo"], "acme/net"),
    (["artifacts", "key"], "untrusted comment"),
    (["artifacts", "url"], "https://example.org/{version}/x.tar.gz"),
    (["artifacts", "url"], "ftp://example.org/x"),
    (["artifacts", "build"], []),
    (BUILD + ["sha256"], "x"),
    (BUILD + ["target"], "linux"),
    (BUILD + ["variant"], "gpu"),
]


def planted(path, value):
    manifest = copy.deepcopy(WHOLE)
    place = manifest
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return manifest


def main():
    schema = json.loads((ROOT / "docs/schema/manifest.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    folders = ["plugins", "tests/plugins", "examples"]
    folders = ["tests/fixtures/manifests/*.json", *(f"{folder}/*/manifest.json" for folder in folders)]
    files = [file for folder in folders for file in sorted(ROOT.glob(folder))]
    files.append(ROOT / "host/cli/templates/plugin/manifest.json")
    assert len(files) > 40, files
    for file in files:
        errors = [error.message for error in validator.iter_errors(json.loads(file.read_text()))]
        assert not errors, (file, errors)
    assert validator.is_valid(WHOLE), [error.message for error in validator.iter_errors(WHOLE)]
    for path, value in MISTAKES:
        assert not validator.is_valid(planted(path, value)), (path, value)
    print(f"schema: {len(files)} manifests are valid, {len(MISTAKES)} mistakes are found")


if __name__ == "__main__":
    main()
