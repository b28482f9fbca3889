// three.js comes before the page's own script, as one global.
declare const THREE: typeof import("three");
