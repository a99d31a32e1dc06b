// A stand-in of what Flamenco's Manager gives to job compiler scripts, written from the page "Job
// Types" of its documentation. What a job or a task takes over it copies, so that what is changed
// afterwards is lost, as there.
function copied(value) { return JSON.parse(JSON.stringify(value)); }

const author = {
    Task: function (name, type) {
        if (typeof name !== "string" || !name.trim()) { throw new Error("a task needs a name"); }
        if (typeof type !== "string" || !type.trim()) { throw new Error("a task needs a type"); }
        const task = { name: name, type: type, commands: [], dependencies: [] };
        task.addCommand = function (command) { task.commands.push(copied(command)); };
        task.addDependency = function (other) {
            if (!other || !other.name) { throw new Error("a dependency is a task"); }
            task.dependencies.push(other.name);
        };
        return task;
    },
    Command: function (name, parameters) { return { name: name, parameters: parameters }; },
};
function print() {}

function compiled(settings) {
    const tasks = [];
    const job = { name: "test", settings: settings };
    job.addTask = function (task) { tasks.push(copied(task)); };
    compileJob(job);
    return JSON.stringify(tasks);
}
