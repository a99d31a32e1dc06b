// Job type of Flamenco's Manager: copy this file into the folder "scripts" beside it.
//
// The Manager names two places of each platform in its variables:
//   {stripStylizerPython}  the Python program of the engine's environment
//   {stripStylizer}        the folder of Strip Stylizer, which holds the folder "engine"
//
// SPDX-License-Identifier: GPL-3.0-or-later

const JOB_TYPE = {
    label: "Strip Stylizer",
    description: "Restyle an object in a video from a text, on several machines",
    settings: [
        { key: "job_folder", type: "string", subtype: "dir_path", required: true, visible: "web",
          description: "Folder with job.json, on storage that all workers share" },
        { key: "cache", type: "string", subtype: "dir_path", required: false, default: "",
          visible: "web",
          description: "Shared folder of finished stages; empty: a folder in the job's own" },
        { key: "objects", type: "int32", required: true, visible: "web",
          propargs: { min: 0 }, description: "How many objects job.json lists" },
        { key: "restyled", type: "string", required: false, default: "", visible: "web",
          description: "Numbers of the objects with a text, such as 0,2; -1 is the background" },
        { key: "candidates", type: "int32", required: false, default: 1, visible: "web",
          propargs: { min: 1 }, description: "Candidates of each text, which train side by side" },
        { key: "frames", type: "int32", required: true, visible: "web",
          propargs: { min: 0 }, description: "How many frames the job has; 0 where unknown" },
        { key: "chunk_size", type: "int32", required: false, default: 48, visible: "submission",
          propargs: { min: 8 }, description: "Frames that one task renders" },
        { key: "divide", type: "bool", required: false, default: true, visible: "submission",
          description: "Several machines share the job; short ones are done sooner by one" },
    ],
};

// Frames that the engine renders and keeps together: BLOCK in engine/contract/tasks.py.
const BLOCK = 8;

function compileJob(job) {
    const settings = job.settings;
    if (!settings.job_folder) {
        throw new Error("The setting job_folder is empty: name the folder with job.json.");
    }
    const check = addTask(job, "check", [], []);
    if (settings.divide === false) {
        addTask(job, "assemble", [], [check]); // which makes all that it does not find
        return;
    }
    const prepare = addTask(job, "prepare", [], [check]);
    const layers = decompositionNumbers(settings).map(function (number) {
        return addTask(job, "decompose", targetArguments(number), [prepare]);
    });
    let needed = layers;
    restyledNumbers(settings).forEach(function (number) {
        // The background is what all objects leave over; an object needs its own layers.
        const inputs = number < 0 ? layers : [layers[number]];
        candidateArguments(settings).forEach(function (candidate) {
            const words = targetArguments(number).concat(candidate);
            needed = needed.concat(addTask(job, "stylize", words, inputs));
        });
    });
    const rendered = chunks(settings).map(function (range) {
        return addTask(job, "render", range ? ["--frames", range] : [], needed);
    });
    addTask(job, "assemble", [], rendered);
}

// Adds one call of the engine; all that belongs to a task is set before the job takes it over.
function addTask(job, verb, more, inputs) {
    const name = [verb].concat(more.map(nameOf).filter(Boolean)).join("-");
    const task = author.Task(name, "misc");
    const cache = job.settings.cache ? ["--cache", job.settings.cache] : [];
    task.addCommand(author.Command("exec", {
        exe: "{stripStylizerPython}",
        args: ["{stripStylizer}/engine/farm/task.py", verb, job.settings.job_folder]
            .concat(more, cache),
    }));
    inputs.forEach(function (input) { task.addDependency(input); });
    job.addTask(task);
    return task;
}

// The part of a task's name that an argument gives, as Task.name in engine/contract/tasks.py.
function nameOf(argument) {
    if (argument === "--object=-1") {
        return "background";
    }
    if (argument.indexOf("--object=") === 0) {
        return argument.slice("--object=".length);
    }
    if (argument.indexOf("--candidate=") === 0) {
        return argument.slice("--".length).replace("=", "-");
    }
    return argument === "--frames" ? "" : argument.replace(":", "-");
}

function targetArguments(number) {
    return number === null ? [] : ["--object=" + number];
}

// One list of words for each candidate; a single one needs none. Who renders puts them in order.
function candidateArguments(settings) {
    const words = [];
    for (let number = 1; number <= settings.candidates; number++) {
        words.push(settings.candidates > 1 ? ["--candidate=" + number] : []);
    }
    return words.length ? words : [[]];
}

// With no object the layers are those of the bare background: one task, which names none.
function decompositionNumbers(settings) {
    const numbers = [];
    for (let number = 0; number < settings.objects; number++) {
        numbers.push(number);
    }
    return numbers.length ? numbers : [null];
}

function restyledNumbers(settings) {
    const words = String(settings.restyled || "").split(",").filter(function (word) {
        return word.trim() !== "";
    });
    return words.map(function (word) {
        const number = Number(word);
        if (!Number.isInteger(number) || number < -1 || number >= settings.objects) {
            throw new Error("The setting restyled names " + word.trim() + ", but the job has "
                + settings.objects + " objects, counted from 0.");
        }
        return number;
    });
}

// Ranges "first:last" of whole blocks; one task for all frames where their number is unknown.
function chunks(settings) {
    if (!(settings.frames > 0)) {
        return [null];
    }
    const size = Math.max(1, Math.ceil((settings.chunk_size || 48) / BLOCK)) * BLOCK;
    const ranges = [];
    for (let first = 0; first < settings.frames; first += size) {
        ranges.push(first + ":" + (Math.min(first + size, settings.frames) - 1));
    }
    return ranges;
}
