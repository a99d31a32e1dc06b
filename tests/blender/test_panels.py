"""Every panel draws in every state, and says what the state asks for."""

import dataclasses
from types import SimpleNamespace

import bpy
import pytest
from barcodes import image_strip, top
from layouts import Recorder


def draw(kind):
    """Draw one panel and return what it showed."""
    layout = Recorder()
    kind.draw(SimpleNamespace(layout=layout), bpy.context)
    return layout


@pytest.fixture
def main(part, scene):
    """Return a function that draws the main panel, the strip's list being there."""
    kind = part("panels.sidebar").STRIPSTYLIZER_PT_main
    properties, targets = part("operators.properties"), part("operators.targets")

    def shown():
        if scene.sequence_editor.active_strip:
            targets.ensure(properties.of(scene.sequence_editor.active_strip))
        return draw(kind)

    return shown


@pytest.fixture
def job_in(part, clip, scene, monkeypatch):
    """Return a function that gives the clip a job in the state that is asked for."""
    session, requests = part("operators.session"), part("operators.requests")
    status = part("engine.client.status")

    def make(phase, **more):
        part("operators.properties").of(clip).global_text = "a gold swan"
        draft = requests.request(clip)
        spec = requests.complete(draft, session.footage_of(scene, clip))
        job = session.add(scene, clip, spec, draft=draft, output="")
        job.queued = False
        fields = {field.name for field in dataclasses.fields(status.Status)}
        facts = {name: value for name, value in more.items() if name in fields}
        job.status = status.Status(phase=status.Phase(phase), **facts)
        for name in set(more) - fields:
            setattr(job, name, more[name])
        return job

    return make


def test_without_a_strip_it_says_what_to_select(main):
    assert "Select a movie or image strip" in " ".join(main().lines)


def test_without_an_engine_it_offers_to_install_one(main, part, monkeypatch):
    monkeypatch.setenv("STRIP_STYLIZER_PYTHON", "/nowhere/python")
    part("operators.session").refresh_engine()
    shown = main()
    assert {"engine_install", "engine_choose"} <= set(shown.operators)
    assert "Engine: not installed" in shown.lines


def test_an_installation_shows_its_step(main, part, tmp_path, monkeypatch):
    session, installing = part("operators.session"), part("operators.installing")
    step = installing.Step("Downloading packages", ["true"])
    session.state.setup = installing.Setup([step], tmp_path, tmp_path / "log")
    session.state.engine = "not installed"
    shown = main()
    assert "Downloading packages" in shown.lines and "engine_cancel" in shown.operators
    session.state.setup.cancel()
    assert "Cancelled" in main().lines


def test_a_strip_shows_its_facts_and_the_button(main, clip):
    shown = main()
    assert "10 frames, 128 x 64" in shown.lines
    fields = {"global_text", "local_text", "object_source", "preset", "seed", "strength"}
    assert fields <= set(shown.shown)
    assert {"stylize", "preview", "show_mask", "object_add"} <= set(shown.operators)
    assert any(line.startswith(("First guess: ", "About ")) for line in shown.lines)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("automatic", set()),
        ("box", {"box_draw", "box_height"}),
        ("strokes", {"strokes_paint"}),
        ("mask", {"mask"}),
        ("files", {"mask_folder", "mask_label", "mask_inverted"}),
        ("name", {"object_name"}),
        ("detector", {"class_name"}),
    ],
)
def test_an_object_source_shows_what_it_needs(source, found, main, clip, part):
    part("operators.properties").of(clip).object_source = source
    shown = main()
    every = {"box_draw", "box_height", "strokes_paint", "mask", "class_name", "object_name"}
    every |= {"mask_folder", "mask_label", "mask_inverted"}
    assert (set(shown.shown) | set(shown.operators)) & every == found


def test_the_background_has_texts_and_no_mask(main, clip, part):
    facts = part("operators.properties").of(clip)
    facts.active_target = 1
    shown = main()
    assert "global_text" in shown.shown and "object_source" not in shown.shown


def test_words_that_the_embedded_encoder_does_not_know_are_told_below_the_texts(main, clip, part):
    facts = part("operators.properties").of(clip)
    facts.preset, facts.global_text = "draft", "swan with wet zebra fur"
    lines = " ".join(main().lines)
    assert "will look: ViT-B-32:openai is not on this computer" in lines
    assert 'The embedded encoder does not know "wet"' in lines
    assert "Near words that it knows: wet: water" in lines
    facts.global_text = "a swan"
    assert "says what the object is, and not what" in " ".join(main().lines)
    facts.global_text = "swan with zebra fur"
    lines = " ".join(main().lines)
    assert "The embedded encoder will look: it knows every word" in lines
    assert "does not know" not in lines
    facts.preset, facts.global_text = "standard", "swan with wet zebra fur"
    lines = " ".join(main().lines)
    assert "ViT-L-14:openai will look, as chosen in the settings" in lines
    assert "embedded" not in lines


def test_words_that_are_not_known_go_to_real_clip_where_it_is(main, clip, part, tmp_path):
    facts, requests = part("operators.properties").of(clip), part("operators.requests")
    weights = part("operators.folders").workspace() / "weights" / "ViT-B-32--openai"
    weights.mkdir(parents=True)
    (weights / "model.safetensors").write_bytes(b"weights")
    facts.preset, facts.global_text = "draft", "swan with wet zebra fur"
    lines = " ".join(main().lines)
    assert 'ViT-B-32:openai will look: the embedded encoder does not know "wet"' in lines
    assert requests.draft_of(clip).settings.stylization.encoder == "ViT-B-32:openai"
    facts.global_text = "swan with zebra fur"
    assert requests.draft_of(clip).settings.stylization.encoder == "embedded"


def test_changed_settings_are_named(main, clip, part):
    before = main().lines
    assert "Preset" in before and "Changed" not in before
    part("operators.properties").of(clip).settings.stylization.steps = 3
    after = main().lines
    assert "Changed" in after and "Preset" not in after


def test_a_chosen_way_to_read_the_strip_is_told(main, clip, part):
    assert not any("As Displayed" in line for line in main().lines)
    part("operators.properties").of(clip).source = "displayed"
    assert any(line.endswith(", As Displayed") for line in main().lines)


def test_objects_can_be_moved_once_there_are_two(main, clip, part):
    assert "object_move" not in main().operators
    part("operators.targets").add_object(part("operators.properties").of(clip))
    assert main().operators.count("object_move") == 2


def test_a_sentence_is_broken_where_it_does_not_fit(part, monkeypatch):
    words = part("panels.words")
    monkeypatch.setattr(words, "fits", lambda text: len(text) <= 9)
    assert words.lines_of("one two three extraordinary four") == [
        "one two", "three", "extraordinary", "four",
    ]  # fmt: skip
    assert words.lines_of("") == [""]


def test_old_versions_warn_of_soft_edges_in_prores(main, clip, part):
    render = part("operators.properties").of(clip).settings.render
    render.format, render.foreground_only = "prores", True
    warned = "Soft edges of ProRes" in " ".join(main().lines)
    assert warned == (bpy.app.version < (4, 5))


def test_a_strip_that_cannot_be_used_says_why(main, scene, media):
    still = image_strip(scene, media / "frames", count=1)
    still.frame_final_duration = 9
    scene.sequence_editor.active_strip = still
    assert "single image" in " ".join(main().lines)


def test_a_running_job_shows_how_far_it_is(main, job_in, part):
    stage = part("engine.contract.job").Stage.STYLIZATION
    job_in("running", stage=stage, step=4, total=10, seconds_left=65.0, device="a GPU")
    shown = main()
    assert "Stylizing 69 %, 65 s left" in shown.lines
    assert {"job_cancel", "job_pause"} <= set(shown.operators) and "a GPU" in shown.lines


def test_a_warning_is_shown(main, job_in):
    job_in("running", warnings=(("The object is small.", "Use a larger size."),))
    assert "The object is small. Use a larger size." in main().lines


def test_a_failed_job_shows_sentence_and_retry(main, job_in):
    job_in("failed", message="Memory ran out.", hint="Use Draft.")
    shown = main()
    assert "Memory ran out. Use Draft." in shown.lines
    assert {"job_resume", "job_log", "job_remove"} <= set(shown.operators)


def test_a_cancelled_job_can_be_resumed(main, job_in):
    job_in("cancelled")
    assert "job_resume" in main().operators


def test_a_finished_job_offers_its_result(main, job_in):
    job = job_in("finished", frames=10, arrived=True)
    shown = main()
    assert "10 frames finished" in shown.lines
    assert {"import_result", "compare", "reveal"} <= set(shown.operators)
    job.note, job.arrived = "The strip is gone.", False
    assert "The strip is gone." in main().lines
    job.note = ""
    assert "The result is being placed" in main().lines


def test_a_paused_job_can_go_on(main, job_in):
    job_in("running", paused_by="user")
    shown = main()
    assert "Paused" in shown.lines and "job_continue" in shown.operators


def test_a_known_fault_has_a_button_of_its_own(main, job_in, part):
    fault = part("engine.contract.events").Fault
    job = job_in("failed", message="Memory ran out.", fault=fault.OUT_OF_MEMORY)
    assert "Retry Smaller" in main().lines
    job.status = dataclasses.replace(job.status, fault=fault.CRASHED)
    assert "job_fix" not in main().operators


def test_a_stylized_strip_shows_what_it_was_made_from(part, clip, scene):
    bpy.ops.strip_stylizer.stylize(global_text="a bronze swan", local_text="hammered bronze")
    scene.sequence_editor.active_strip = top(scene)[1]
    kind = part("panels.take").STRIPSTYLIZER_PT_take
    assert kind.poll(bpy.context)
    assert not part("panels.sidebar").STRIPSTYLIZER_PT_main.poll(bpy.context)
    shown = draw(kind)
    words = {"a bronze swan", "hammered bronze", "Source: bars", "Draft, seed 0", "Take 1 of 1"}
    assert words <= set(shown.lines)
    steps = ["take_step", "compare", "take_step"]
    below = ["new_take", "pins_follow", "reuse_settings", "copy_recipe", "take_as_source"]
    below += ["layers_export", "reveal"]
    others = [name for name in shown.operators if name != "snapshot_render"]
    assert others == [*steps, *below] and len(others) < len(shown.operators)
    top(scene)[1]["stylized_from"] = "not JSON"
    draw(kind)


@pytest.fixture
def jobs(part):
    return part("panels.jobs").STRIPSTYLIZER_PT_jobs


def test_all_jobs_are_listed(job_in, jobs):
    assert not jobs.poll(bpy.context)
    job_in("running"), job_in("failed", message="No.")
    assert jobs.poll(bpy.context)
    shown = draw(jobs)
    assert "bars: a gold swan" in shown.lines
    assert sum(line.endswith("bars: a gold swan") for line in shown.lines) == 2
    assert {"job_pause", "job_cancel", "job_resume", "job_log"} <= set(shown.operators)


def test_waiting_jobs_are_listed_in_their_order(job_in, jobs):
    job_in("waiting", queued=True), job_in("waiting", queued=True)
    shown = draw(jobs)
    assert shown.operators.count("job_move") == 4 and "jobs_at_once" in shown.shown


def test_the_history_is_searched_by_words(job_in, jobs):
    for number in range(7):
        job_in("cancelled").recipe["title"] = f"a swan of {number}"
    manager = bpy.context.window_manager
    assert sum("a swan of" in line for line in draw(jobs).lines) == 7
    manager.strip_stylizer_search = "SWAN 3"
    found = [line for line in draw(jobs).lines if "a swan of" in line]
    assert len(found) == 1 and found[0].endswith("a swan of 3")
    manager.strip_stylizer_search = ""


def test_every_setting_is_in_the_sub_panel(clip, part):
    kind = part("panels.settings").STRIPSTYLIZER_PT_settings
    settings = part("engine.contract.settings").Settings()
    assert kind.poll(bpy.context)

    def count(values):
        items = [getattr(values, field.name) for field in dataclasses.fields(values)]
        return sum(count(v) if dataclasses.is_dataclass(v) else 1 for v in items)

    assert len(draw(kind).shown) == count(settings) - 1


def test_the_preferences_and_menus_draw(part, scene):
    preferences, session = part("operators.folders").preferences(), part("operators.session")
    layout = Recorder()
    kind = part("panels.preferences").STRIPSTYLIZER_AP_preferences
    session.state.setup = part("operators.installing").Setup([], None, None, ended=True)
    session.state.setup.facts = {"device": {"name": "a GPU"}, "versions": {"torch": "2"}}
    eyes = {"embedded": "sees: it names 12 of 12", "ViT-B-32:openai": "does not see: it names 1"}
    session.state.setup.facts["eyesight"] = eyes
    proxy = SimpleNamespace(layout=layout, bl_rna=preferences.bl_rna)
    kind.draw(proxy, bpy.context)
    assert {"Engine: ready", "Device: a GPU", "torch 2"} <= set(layout.lines)
    shown = " ".join(layout.lines)
    assert all(f"{name} {sentence}." in shown for name, sentence in eyes.items())
    assert layout.operators.count("network_download") == 2
    menus = part("panels.menus")
    assert "stylize" in draw(menus.STRIPSTYLIZER_MT_stylize).operators
    menus.draw_entry(SimpleNamespace(layout=layout), bpy.context)
